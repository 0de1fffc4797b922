/* request.c - what run() and submit() take, and the execution of it.
 * SPDX-License-Identifier: MIT */
#include "run/request.h"
#include "deadline.h"
#include "detached_call.h"
#include "errors.h"
#include "run/input.h"
#include "table/table.h"
#include "host.h"
#include <math.h>

int run_request_read(module_state *state, PyObject *arguments, PyObject *keywords, bool watched, run_request *to) {
  static char *run[] = {"", "", "threads", "out", "copy", "timeout", "watch", "output", NULL};
  static char *submit[] = {"", "", "threads", "out", "copy", "timeout", "room", NULL};
  PyObject *plan, *timeout = NULL;
  *to = (run_request){0};
  int read = watched
                 ? PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|iOpOOO:run", run, &plan, &to->data,
                                               &to->threads, &to->outs, &to->copy, &timeout, &to->watch, &to->output)
                 : PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|iOpOL:submit", submit, &plan, &to->data,
                                               &to->threads, &to->outs, &to->copy, &timeout, &to->room);
  if (!read) return -1;
  to->plan = mmpy_plan_of(state, plan);
  if (!to->plan || deadline_read(timeout, &to->asked) < 0) return -1;
  const deadline *limit = deadline_here();
  to->limit = to->asked;
  if (limit && !to->asked) to->asked = limit->seconds;
  if (limit) to->limit = fmax(limit->until - mm_host_clock(), AT_ONCE);
  if (to->threads < 0) {
    PyErr_SetString(PyExc_ValueError, "threads is a number from 0");
    return -1;
  }
  if (to->outs == Py_None) to->outs = NULL;
  if (to->watch == Py_None) to->watch = NULL;
  if (to->output == Py_None) to->output = NULL;
  return 0;
}

int run_request_open(const run_request *asked, run_result *result) {
  if (!mmpy_input_is(asked->plan->state, asked->data)) {
    if (!asked->output && !asked->room)
      return run_result_open(result, asked->plan, asked->data, asked->outs, asked->copy);
    PyErr_SetString(PyExc_TypeError, "output and room are for an Input");
    return -1;
  }
  if (asked->outs) {
    PyErr_SetString(PyExc_TypeError, "out is for a Table");
    return -1;
  }
  PyObject *path = NULL;
  if (asked->output && !PyUnicode_FSConverter(asked->output, &path)) return -1;
  int status = run_result_read(result, asked->plan, asked->data, path ? PyBytes_AS_STRING(path) : NULL, asked->room);
  Py_XDECREF(path);
  return status;
}

int64_t run_request_copied(const run_request *asked) {
  return mmpy_input_is(asked->plan->state, asked->data) ? 0 : ((table_object *)asked->data)->copied;
}

execution *run_request_execution(module_state *state, const run_request *asked, run_result *take) {
  mm_error error = {0};
  detached_call call;
  detached_call_begin(&call, state);
  call.watch = asked->watch;
  execution *exec = execution_new(take, asked->threads, asked->limit, asked->asked, &call.pulse, &error);
  detached_call_end(&call);
  if (!exec && !PyErr_Occurred()) raise_error(state, &error);
  if (!exec || !PyErr_Occurred()) return exec;
  execution_leave(exec); /* a signal that came when all was open */
  return NULL;
}
