/* result.h - the result of a run: opened before its job, collected after it.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/result_state.h"

/* Under the GIL; -1 and an exception. `outs`: NULL or a list of buffers and None, one a column. */
int  run_result_open(run_result *result, plan_object *plan, PyObject *table, PyObject *outs, bool copy);
/* The same of files, which this uses up. `path`: of the output, or NULL; `room`: of a queue, 0: there is none. */
int  run_result_read(run_result *result, plan_object *plan, PyObject *input, const char *path, int64_t room);
void run_result_free(run_result *result);
/* Is there anything to compute or to copy? */
bool run_result_works(const run_result *result);
struct mm_pulse;
/* The last stage of its job. `pulse` beats while a named pipe waits for its reader. */
mm_stage *run_result_sink(const run_result *result, const struct mm_pulse *pulse, mm_error *error);
/* The result, after the job (NULL when there was nothing to do); empty where the rows have gone elsewhere. */
int run_result_collect(run_result *result, mm_job *job, mm_table *to, byte_traffic *traffic, mm_error *error);
