/* request.h - what run() and submit() take.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/execution.h"
#include "run/plan.h"

/* What run() and submit() take. */
typedef struct run_request {
  plan_object *plan;
  PyObject *data;          /* a Table, or an Input, which is used up */
  PyObject *outs, *watch;  /* NULL when there are none */
  PyObject *output;        /* path of a file for the result of an Input, or NULL */
  long long room;          /* rows of such a result that may wait to be taken; 0: it becomes a table */
  int threads, copy;
  double limit, asked;     /* seconds that are left, and that were given; 0: no limit */
} run_request;

/* Read the arguments of run(), or of submit(), which cannot be watched; -1 and an exception. */
int run_request_read(module_state *state, PyObject *arguments, PyObject *keywords, bool watched, run_request *to);
/* -1 and an exception. */
int  run_request_open(const run_request *asked, run_result *result);
/* The execution of a request, whose result it takes also on failure; NULL and an exception. */
execution *run_request_execution(module_state *state, const run_request *asked, run_result *take);
/* Bytes that were copied to make what goes in. */
int64_t run_request_copied(const run_request *asked);
