/* result.h - what a run reads, and where its result goes: columns come from memory of the input, memory that is
 * computed into, or chunks; or the rows go to a file, or to who takes them while the job goes on.
 *
 * DESIGN. All but opening goes without the GIL and without Python: memory of the caller is held by blocks.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/plan.h"
#include "run/row_queue.h"

/* One column of the result. */
typedef struct mm_target {
  int32_t   shared; /* the column of the feed that it is, or -1 */
  mm_column into;   /* data: where it is computed or copied to */
  mm_block *bytes;  /* memory of the caller for bools, a byte each: filled at the end; or NULL */
} mm_target;

/* Bytes of the result that were copied from the input as they are, and that are the input's. */
typedef struct mm_traffic { int64_t copied, shared; } mm_traffic;

typedef struct mm_outcome {
  const mm_plan *plan; /* retained */
  mm_table       feed; /* the columns that the plan reads, shared */
  mm_source     *source; /* of files, instead of the feed; the job takes it */
  char          *path;   /* of the file that the result is written to, or NULL */
  mm_queue      *queue;  /* that the result is taken from, or NULL */
  mm_target     *targets;
  int32_t        count;
  bool           keeps;    /* rows: a row of the result is the same row of the input */
  bool           chunked;  /* all columns come as the batches that a table sink keeps */
  bool           in_place; /* memory of the caller is that of an input */
  bool           copy;     /* nothing may be shared */
} mm_outcome;

/* Under the GIL; -1 and an exception. `outs`: NULL or a list of buffers and None, one a column. */
int  mm_outcome_open(mm_outcome *outcome, plan_object *plan, PyObject *table, PyObject *outs, bool copy);
/* The same of files, which this uses up. `path`: of the output, or NULL; `room`: of a queue, 0: there is none. */
int  mm_outcome_read(mm_outcome *outcome, plan_object *plan, PyObject *input, const char *path, int64_t room);
void mm_outcome_free(mm_outcome *outcome);
/* Take the memory that is given, for opening: the targets are made, the columns are not. -1 and an exception. */
int  mm_outs_take(mm_outcome *outcome, plan_object *plan, PyObject *outs);
/* Can values of a type be computed into memory that is allocated before? */
bool mm_has_width(mm_type type);
/* Is there anything to compute or to copy? */
bool mm_outcome_works(const mm_outcome *outcome);
struct mm_pulse;
/* The last stage of its job. `pulse` beats while a named pipe waits for its reader. */
mm_stage *mm_outcome_sink(const mm_outcome *outcome, const struct mm_pulse *pulse, mm_error *error);
/* The result, after the job (NULL when there was nothing to do); empty where the rows have gone elsewhere. */
int mm_outcome_collect(mm_outcome *outcome, mm_job *job, mm_table *to, mm_traffic *traffic, mm_error *error);
