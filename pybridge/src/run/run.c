/* run.c - run() and submit(): what they take, waiting with an eye on signals, and results as tables.
 *
 * DESIGN. The GIL is given up whenever a job is waited for, and taken back every 20 ms to let signals be handled. A job
 * that does not stop within 2 s after it was told to, by a cancel or its time limit, is left to its keeper, with its
 * inputs.
 *
 * SPDX-License-Identifier: MIT */
#include "deferred_release.h"
#include "errors.h"
#include "run/await.h"
#include "run/execution.h"
#include "run/job.h"
#include "run/plan.h"
#include "run/request.h"
#include "run/result.h"
#include "run/result_state.h"
#include "table/table.h"
#include "host.h"
#include <math.h>

enum { WATCH_MS = 100 };

/* Wait for its end; false: an exception, and the work is gone. */
static bool wait_for(plan_object *plan, mm_work *work) {
  int ended = mm_run_wait(work, INFINITY);
  if (ended > 0) return true;
  if (ended == 0) mm_run_raise_stuck(plan, work);
  mm_run_stop(work);
  return false;
}

/* ---- Running on the thread that asks ---- */

static PyObject *run_work(plan_object *plan, mm_work *work, int64_t copied) {
  bool small;
  Py_BEGIN_ALLOW_THREADS
  small = mm_work_run_here(work);
  if (!small) mm_work_start(work);
  Py_END_ALLOW_THREADS
  if (!small && !wait_for(plan, work)) return NULL;
  PyObject *result = mm_run_result(plan, work);
  if (result && mm_run_fill(result, work, copied) < 0) Py_CLEAR(result);
  mm_work_leave(work);
  mm_owner_drain();
  return result;
}

/* A result that is nothing but memory of the input. */
static PyObject *run_nothing(module_state *state, mm_outcome *outcome, int64_t copied) {
  mm_table table = {0};
  mm_error error;
  mm_traffic traffic = {.copied = copied};
  int status = mm_outcome_collect(outcome, NULL, &table, &traffic, &error);
  mm_outcome_free(outcome);
  if (status >= 0) return mm_table_wrap(state, &table, traffic.copied, traffic.shared);
  mm_table_free(&table);
  return mm_raise(state, &error);
}

/* ---- run and submit ---- */

static PyObject *core_submit(PyObject *module, PyObject *arguments, PyObject *keywords) {
  module_state *state = PyModule_GetState(module);
  mm_request asked;
  mm_owner_drain();
  if (mm_request_read(state, arguments, keywords, false, &asked) < 0) return NULL;
  return mm_job_submit(state, &asked);
}

/* A run that somebody watches is a job that is waited for. */
static PyObject *run_watched(module_state *state, const mm_request *asked) {
  PyObject *job = mm_job_submit(state, asked);
  PyObject *result = NULL;
  if (!job) return NULL;
  mm_work *work = mm_job_work(job);
  for (int ended = 0; ended == 0 && !mm_work_stuck(work);) {
    ended = mm_run_wait(work, mm_host_clock() + WATCH_MS * 1e-3);
    PyObject *said = ended < 0 ? NULL : PyObject_CallOneArg(asked->watch, job);
    if (!said) goto done;
    Py_DECREF(said);
  }
  result = mm_job_table(job, NULL);
done:
  if (!result && !atomic_load(&work->ended)) { /* whoever watches may hold the job, which then goes on */
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    Py_BEGIN_ALLOW_THREADS
    mm_run_cancel(work);
    Py_END_ALLOW_THREADS
    PyErr_Restore(type, value, traceback);
  }
  Py_DECREF(job);
  return result;
}

static PyObject *core_run(PyObject *module, PyObject *arguments, PyObject *keywords) {
  module_state *state = PyModule_GetState(module);
  mm_request asked;
  mm_outcome outcome;
  mm_owner_drain();
  if (mm_request_read(state, arguments, keywords, true, &asked) < 0) return NULL;
  if (asked.watch) return run_watched(state, &asked);
  if (mm_request_open(&asked, &outcome) < 0) return NULL;
  int64_t copied = mm_request_copied(&asked);
  if (!mm_outcome_works(&outcome)) return run_nothing(state, &outcome, copied);
  mm_work *work = mm_run_work(state, &asked, &outcome);
  return work ? run_work(asked.plan, work, copied) : NULL;
}

static PyMethodDef functions[] = {
    {"run", MM_METHOD(core_run), METH_VARARGS | METH_KEYWORDS,
     "run($module, plan, data, /, threads=0, out=None, copy=False, timeout=None, watch=None, output=None)\n--\n\n"
     "Run and wait, the GIL released. `watch` is called some ten times a second."},
    {"submit", MM_METHOD(core_submit), METH_VARARGS | METH_KEYWORDS,
     "submit($module, plan, data, /, threads=0, out=None, copy=False, timeout=None, room=0)\n--\n\n"
     "Run in the background."},
    {0}};

int mm_run_register(PyObject *module, module_state *state) {
  (void)state;
  return PyModule_AddFunctions(module, functions);
}
