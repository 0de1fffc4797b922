/* result_state.h - what a run reads, and where its result goes: columns come from memory of the input, memory that is
 * computed into, or chunks; or the rows go to a file, or to a queue while the job runs.
 *
 * DESIGN. All but opening goes without the GIL and without Python: memory of the caller is held by blocks.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/plan.h"
#include "run/row_queue.h"

/* One column of the result. */
typedef struct result_column {
  int32_t   shared; /* the column of the input that it is, or -1 */
  mm_column into;   /* data: where it is computed or copied to */
  mm_block *bytes;  /* memory of the caller for bools, a byte each: filled at the end; or NULL */
} result_column;

/* Bytes of the result that were copied from the input as they are, and that are the input's. */
typedef struct byte_traffic { int64_t copied, shared; } byte_traffic;

typedef struct run_result {
  const mm_plan *plan; /* retained */
  mm_table       input; /* the columns that the plan reads, shared */
  mm_source     *source; /* of files, instead of the input; the job takes it */
  char          *path;   /* of the file that the result is written to, or NULL */
  row_queue      *queue;  /* that the result is taken from, or NULL */
  result_column     *targets;
  int32_t        count;
  bool           keeps;    /* rows: a row of the result is the same row of the input */
  bool           chunked;  /* all columns come as the batches that a table sink keeps */
  bool           in_place; /* memory of the caller is that of an input */
  bool           copy;     /* nothing may be shared */
} run_result;
