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

int mm_request_read(module_state *state, PyObject *arguments, PyObject *keywords, bool watched, mm_request *to) {
  static char *run[] = {"", "", "threads", "out", "copy", "timeout", "watch", "output", NULL};
  static char *submit[] = {"", "", "threads", "out", "copy", "timeout", "room", NULL};
  PyObject *plan, *timeout = NULL;
  *to = (mm_request){0};
  int read = watched
                 ? PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|iOpOOO:run", run, &plan, &to->data,
                                               &to->threads, &to->outs, &to->copy, &timeout, &to->watch, &to->output)
                 : PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|iOpOL:submit", submit, &plan, &to->data,
                                               &to->threads, &to->outs, &to->copy, &timeout, &to->room);
  if (!read) return -1;
  to->plan = mm_plan_of(state, plan);
  if (!to->plan || mm_deadline_read(timeout, &to->asked) < 0) return -1;
  const mm_deadline *deadline = mm_deadline_here();
  to->limit = to->asked;
  if (deadline && !to->asked) to->asked = deadline->seconds;
  if (deadline) to->limit = fmax(deadline->until - mm_host_clock(), MM_AT_ONCE);
  if (to->threads < 0) {
    PyErr_SetString(PyExc_ValueError, "threads is a number from 0");
    return -1;
  }
  if (to->outs == Py_None) to->outs = NULL;
  if (to->watch == Py_None) to->watch = NULL;
  if (to->output == Py_None) to->output = NULL;
  return 0;
}

int mm_request_open(const mm_request *asked, mm_outcome *outcome) {
  if (!mm_input_is(asked->plan->state, asked->data)) {
    if (!asked->output && !asked->room)
      return mm_outcome_open(outcome, asked->plan, asked->data, asked->outs, asked->copy);
    PyErr_SetString(PyExc_TypeError, "output and room are for an Input");
    return -1;
  }
  if (asked->outs) {
    PyErr_SetString(PyExc_TypeError, "out is for a Table");
    return -1;
  }
  PyObject *path = NULL;
  if (asked->output && !PyUnicode_FSConverter(asked->output, &path)) return -1;
  int status = mm_outcome_read(outcome, asked->plan, asked->data, path ? PyBytes_AS_STRING(path) : NULL, asked->room);
  Py_XDECREF(path);
  return status;
}

int64_t mm_request_copied(const mm_request *asked) {
  return mm_input_is(asked->plan->state, asked->data) ? 0 : ((table_object *)asked->data)->copied;
}

mm_work *mm_run_work(module_state *state, const mm_request *asked, mm_outcome *take) {
  mm_error error = {0};
  mm_away away;
  mm_away_begin(&away, state);
  away.watch = asked->watch;
  mm_work *work = mm_work_new(take, asked->threads, asked->limit, asked->asked, &away.pulse, &error);
  mm_away_end(&away);
  if (!work && !PyErr_Occurred()) mm_raise(state, &error);
  if (!work || !PyErr_Occurred()) return work;
  mm_work_leave(work); /* a signal that came when all was open */
  return NULL;
}
