/* output.h - the columns that a program makes.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "kernels/kernel.h"

/* A column under construction. Its blocks are used again when whoever took the column has let go of them. */
typedef struct program_output {
  int32_t reg;
  int32_t column; /* input column it is, or -1 */
  mm_type type;
  mm_block *data, *valid, *offsets;
  int64_t rows;  /* there is room for */
  int64_t bytes; /* of text so far */
  mm_block *to;  /* where the column of the whole job is computed, if it is; row `base` of it is row 0 here */
  int64_t base;
  int64_t width; /* of a value; 0: not fixed */
  uint8_t *at;   /* row 0, when the width is fixed */
  bool nulls;    /* valid is in use */
  bool kept;     /* blocks were still in use last time: hand out tight copies */
} program_output;

/* Where rows from `at` on may be computed in place; NULL: they must be appended. */
static inline void *output_place(const program_output *output, int64_t at) {
  return output->at ? output->at + at * output->width : NULL;
}
int output_begin(program_output *output, int64_t rows, mm_error *error); /* room for at most so many rows */
/* The selected lanes of a vector become rows at .. at + count - 1. */
int output_append(program_output *output, int64_t at, const lane_vector *vector, const uint64_t *selected, int32_t n,
                  int32_t count, mm_error *error);
/* The lanes of a vector become rows of the n from `at` on, a multiple of 64: lane i row at + i, or at + index[i]
 * where there is an index, which ascends. Other rows hold anything. For values of fixed width. */
int output_place_lanes(program_output *output, int64_t at, const lane_vector *vector, const uint16_t *index,
                       int32_t lanes, int32_t n, mm_error *error);
/* The kept rows of a column become the output's `count` rows. */
int output_pick(program_output *output, const mm_column *from, const uint64_t *kept, int64_t count, mm_error *error);
int output_take(program_output *output, int64_t rows, mm_column *to, mm_error *error);
void output_free(program_output *output);
