/* request.h - what running on the thread that asks and jobs in the background share.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/plan.h"
#include "run/execution.h"

/* What run() and submit() take. */
typedef struct mm_request {
  plan_object *plan;
  PyObject *data;          /* a Table, or an Input, which is used up */
  PyObject *outs, *watch;  /* NULL when there are none */
  PyObject *output;        /* path of a file for the result of an Input, or NULL */
  long long room;          /* rows of such a result that may wait to be taken; 0: it becomes a table */
  int threads, copy;
  double limit, asked;     /* seconds that are left, and that were given; 0: no limit */
} mm_request;

/* run.c. The GIL is held. */
/* -1 and an exception. */
int mm_request_open(const mm_request *asked, mm_outcome *outcome);
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
/* The work of a request, whose outcome it takes also on failure; NULL and an exception. */
mm_work *mm_run_work(module_state *state, const mm_request *asked, mm_outcome *take);
/* Bytes that were copied to make what goes in. */
int64_t mm_request_copied(const mm_request *asked);

/* job.c */
PyObject *mm_job_submit(module_state *state, const mm_request *asked);
mm_work  *mm_job_work(PyObject *job); /* borrowed */
PyObject *mm_job_table(PyObject *job, PyObject *unused);
