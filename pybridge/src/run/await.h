/* await.h - waiting for an execution under the GIL, and its result as a table.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/execution.h"
#include "run/plan.h"

/* The result of a work that has ended: the number of rows where they went to a file, else a Table that is still empty.
 * Or raise what made it fail. */
PyObject *mm_run_result(plan_object *plan, const mm_work *work);
/* Raise that a work is stuck. Always NULL. */
PyObject *mm_run_raise_stuck(plan_object *plan, const mm_work *work);
/* The rows move into it, once; `copied`: bytes copied to make the input. No Python code runs. -1 and an exception. */
int  mm_run_fill(PyObject *result, mm_work *work, int64_t copied);
/* Wait until a moment of the clock, or until the work is stuck; 1: it has ended, 0: it has not, -1 and the exception of a
 * signal. */
int  mm_run_wait(mm_work *work, double until);
/* Cancel a work, give it a while to stop, then leave it to a keeper: the caller's reference is gone. An exception that
 * is set stays. */
void mm_run_stop(mm_work *work);
/* Without the GIL: cancel a work, and give it a while to stop, counted from when it was first told to. */
void mm_run_cancel(mm_work *work);
