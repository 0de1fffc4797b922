/* detached_call.c - calls without the GIL that Ctrl-C and a deadline interrupt.
 * SPDX-License-Identifier: MIT */
#include "detached_call.h"
#include "deadline.h"
#include "host.h"

/* On the thread that gave the GIL up. Handlers of signals run here and may raise. */
static int beat(void *context) {
  mm_away *away = context;
  PyEval_RestoreThread(away->thread);
  int raised = PyErr_CheckSignals();
  const mm_deadline *deadline = mm_deadline_here();
  if (!raised && deadline && mm_host_clock() > deadline->until) {
    mm_deadline_raise(away->state, deadline->seconds);
    raised = -1;
  }
  if (!raised && away->watch) {
    PyObject *said = PyObject_CallOneArg(away->watch, Py_None);
    if (!said) raised = -1;
    Py_XDECREF(said);
  }
  away->thread = PyEval_SaveThread();
  return raised;
}

void mm_away_begin(mm_away *away, module_state *state) {
  away->state = state;
  away->watch = NULL;
  away->pulse = (mm_pulse){beat, away};
  away->thread = PyEval_SaveThread();
}

void mm_away_end(mm_away *away) { PyEval_RestoreThread(away->thread); }
