/* result.h - the result of a run: opened before its job, collected after it.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/result_state.h"

/* Under the GIL; -1 and an exception. `outs`: NULL or a list of buffers and None, one a column. */
int  mm_outcome_open(mm_outcome *outcome, plan_object *plan, PyObject *table, PyObject *outs, bool copy);
/* The same of files, which this uses up. `path`: of the output, or NULL; `room`: of a queue, 0: there is none. */
int  mm_outcome_read(mm_outcome *outcome, plan_object *plan, PyObject *input, const char *path, int64_t room);
void mm_outcome_free(mm_outcome *outcome);
/* Is there anything to compute or to copy? */
bool mm_outcome_works(const mm_outcome *outcome);
struct mm_pulse;
/* The last stage of its job. `pulse` beats while a named pipe waits for its reader. */
mm_stage *mm_outcome_sink(const mm_outcome *outcome, const struct mm_pulse *pulse, mm_error *error);
/* The result, after the job (NULL when there was nothing to do); empty where the rows have gone elsewhere. */
int mm_outcome_collect(mm_outcome *outcome, mm_job *job, mm_table *to, mm_traffic *traffic, mm_error *error);
