/* frame.h - the frame that a worker runs a program in.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "program/program.h"

typedef struct program_frame {
  const mm_program *program;
  lane_vector *vectors; /* what each register is now */
  uint8_t *slots;
  void **direct;             /* where a register's data goes instead of its slot; NULL: to its slot */
  arena arena;               /* text made during one vector */
  int32_t n;                 /* lanes */
  bool packed;               /* lanes are not rows: see index */
  const uint64_t *selection; /* NULL: all n lanes; else `selected` */
  int32_t passed;            /* lanes in it */
  uint64_t *selected;        /* VECTOR_WORDS words */
  uint64_t *bad;             /* as many; zero between two kernels */
  uint16_t *index;           /* MM_VECTOR rows */
  bool most_pass;            /* the filter in the last vector: go on in the program's filter-last order */
  int32_t failed_row;        /* within the vector; -1: none */
  mm_error failure;
} program_frame;

program_frame *frame_new(const mm_program *program, mm_error *error);
void frame_free(program_frame *frame);
/* Run rows start .. start + n - 1 of a batch (start a multiple of 64, n at most MM_VECTOR). Afterwards the frame
 * tells the lanes that passed; a row that failed is in failed_row and failure, and only lanes of earlier rows pass.
 * Negative: out of memory. */
int frame_run(program_frame *frame, const mm_batch *batch, int64_t start, int32_t n, mm_error *error);
/* Remember for the next vector whether most lanes passed a filter. */
void frame_note_passed(program_frame *frame, int64_t passed, int64_t lanes);
int32_t frame_passed(const program_frame *frame);            /* lanes that passed */
void frame_rows(const program_frame *frame, uint64_t *rows); /* the rows that passed, a bit each, VECTOR_WORDS words */
/* Is the program plain, did most lanes pass its filter last time, and are the columns it loads from this batch
 * without nulls and aligned? */
bool frame_is_plain(const program_frame *frame, const mm_batch *batch);
/* The same as frame_run where that is so, with nothing to ask about any row. n is a multiple of 64, at most
 * program->lanes. A filter only leaves its condition in its register, for the caller to count. */
int frame_run_plain(program_frame *frame, const mm_batch *batch, int64_t start, int32_t n, mm_error *error);
/* Bind a register to the rows of its column (run.c uses it for loads). */
void frame_load(program_frame *frame, const program_step *step, const mm_column *column, int64_t start);
/* Point a register at its own slot, with room for validity; returns it. */
lane_vector *frame_home(program_frame *frame, int32_t r);
void frame_pack(program_frame *frame, int32_t step, int32_t count); /* go on with the selected lanes only */
