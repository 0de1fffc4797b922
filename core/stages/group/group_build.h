/* group_build.h - one worker's hash aggregation of one morsel.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "hash/hot_keys.h"
#include "stages/group/group_partial.h"
#include "stages/group/group_selection.h"

/* A worker's table during one morsel. */
typedef struct mm_absorber {
  mm_groups groups;
  int64_t rows; /* absorbed since the last cut */
  bool appends; /* nearly all keys are new: rows are taken as groups of their own */
  bool failed;  /* out of memory on the way: the morsel is lost */
  mm_rows vector;
  uint64_t *entries; /* of MM_VECTOR rows */
  mm_shortcut *shortcut;
  mm_selection selection;
} mm_absorber;

int mm_absorber_init(mm_absorber *absorber, const mm_group_plan *plan, mm_error *error);
void mm_absorber_free(mm_absorber *absorber);
/* Absorb the next rows of a batch, from `start`; fills absorber->vector, returns how many (positive). A batch with `selected` is seen
 * through absorber->selection first. */
int mm_absorber_take(mm_absorber *absorber, const mm_batch *batch, int64_t start, mm_error *error);
/* The end of a morsel: all groups to an empty partial. */
int mm_absorber_cut(mm_absorber *absorber, mm_partial *partial, bool scatter, mm_error *error);
