/* group_build.h - one worker's hash aggregation of one morsel.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "hash/hot_keys.h"
#include "stages/group/group_partial.h"
#include "stages/group/group_selection.h"

/* A worker's table during one morsel. */
typedef struct group_build {
  group_table groups;
  int64_t rows; /* absorbed since the last cut */
  bool appends; /* nearly all keys are new: rows are taken as groups of their own */
  bool failed;  /* out of memory on the way: the morsel is lost */
  row_vector vector;
  uint64_t *entries; /* of MM_VECTOR rows */
  hot_keys *hot;
  group_selection selection;
} group_build;

int group_build_init(group_build *build, const group_plan *plan, mm_error *error);
void group_build_free(group_build *build);
/* Absorb the next rows of a batch, from `start`; fills build->vector, returns how many (positive). A batch with
 * `selected` is seen through build->selection first. */
int group_build_add(group_build *build, const mm_batch *batch, int64_t start, mm_error *error);
/* The end of a morsel: all groups to an empty partial. */
int group_build_cut(group_build *build, group_partial *partial, bool scatter, mm_error *error);
