/* detached_call.c - calls without the GIL that Ctrl-C and a deadline interrupt.
 * SPDX-License-Identifier: MIT */
#include "detached_call.h"
#include "deadline.h"
#include "host.h"

/* On the thread that gave the GIL up. Handlers of signals run here and may raise. */
static int poll_signals(void *context) {
  detached_call *call = context;
  PyEval_RestoreThread(call->thread);
  int raised = PyErr_CheckSignals();
  const deadline *limit = deadline_here();
  if (!raised && limit && mm_host_clock() > limit->until) {
    deadline_raise(call->state, limit->seconds);
    raised = -1;
  }
  if (!raised && call->watch) {
    PyObject *said = PyObject_CallOneArg(call->watch, Py_None);
    if (!said) raised = -1;
    Py_XDECREF(said);
  }
  call->thread = PyEval_SaveThread();
  return raised;
}

void detached_call_begin(detached_call *call, module_state *state) {
  call->state = state;
  call->watch = NULL;
  call->pulse = (mm_pulse){poll_signals, call};
  call->thread = PyEval_SaveThread();
}

void detached_call_end(detached_call *call) { PyEval_RestoreThread(call->thread); }
