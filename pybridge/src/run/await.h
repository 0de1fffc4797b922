/* await.h - waiting for an execution under the GIL, and its result as a table.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/execution.h"
#include "run/plan.h"

/* The result of an execution that has ended: the number of rows where they went to a file, else a Table that is still
 * empty; or NULL and the exception of its failure. */
PyObject *await_result(plan_object *plan, const execution *exec);
/* Raise that an execution does not stop. Always NULL. */
PyObject *await_raise_stuck(plan_object *plan, const execution *exec);
/* The rows move into it, once; `copied`: bytes copied to make the input. No Python code runs. -1 and an exception. */
int  await_fill(PyObject *result, execution *exec, int64_t copied);
/* Wait until a moment of the clock, or until the execution is stuck; 1: it has ended, 0: it has not, -1 and the
 * exception of a signal's handler. */
int  await_execution(execution *exec, double until);
/* Cancel an execution, give it 2 s to stop, then leave it to a supervisor: the caller's reference is gone. An exception
 * that is set stays. */
void await_stop(execution *exec);
/* Without the GIL: cancel an execution, and give it 2 s to stop, counted from when it was first told to. */
void await_cancelled(execution *exec);
