/* run.c - run() and submit().
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

/* Wait for its end; false: an exception, and the execution is gone. */
static bool wait_for(plan_object *plan, execution *exec) {
  int ended = await_execution(exec, INFINITY);
  if (ended > 0) return true;
  if (ended == 0) await_raise_stuck(plan, exec);
  await_stop(exec);
  return false;
}

/* ---- Running on the thread that asks ---- */

static PyObject *run_execution(plan_object *plan, execution *exec, int64_t copied) {
  bool small;
  Py_BEGIN_ALLOW_THREADS
  small = execution_run_here(exec);
  if (!small) execution_start(exec);
  Py_END_ALLOW_THREADS
  if (!small && !wait_for(plan, exec)) return NULL;
  PyObject *result = await_result(plan, exec);
  if (result && await_fill(result, exec, copied) < 0) Py_CLEAR(result);
  execution_leave(exec);
  deferred_release_drain();
  return result;
}

/* A result that is nothing but memory of the input. */
static PyObject *run_nothing(module_state *state, run_result *opened, int64_t copied) {
  mm_table table = {0};
  mm_error error;
  byte_traffic traffic = {.copied = copied};
  int status = run_result_collect(opened, NULL, &table, &traffic, &error);
  run_result_free(opened);
  if (status >= 0) return mmpy_table_wrap(state, &table, traffic.copied, traffic.shared);
  mm_table_free(&table);
  return raise_error(state, &error);
}

/* ---- run and submit ---- */

static PyObject *core_submit(PyObject *module, PyObject *arguments, PyObject *keywords) {
  module_state *state = PyModule_GetState(module);
  run_request asked;
  deferred_release_drain();
  if (run_request_read(state, arguments, keywords, false, &asked) < 0) return NULL;
  return mmpy_job_submit(state, &asked);
}

/* A run with a `watch` callback is a job that is waited for. */
static PyObject *run_watched(module_state *state, const run_request *asked) {
  PyObject *job = mmpy_job_submit(state, asked);
  PyObject *result = NULL;
  if (!job) return NULL;
  execution *exec = mmpy_job_execution(job);
  for (int ended = 0; ended == 0 && !execution_stuck(exec);) {
    ended = await_execution(exec, mm_host_clock() + WATCH_MS * 1e-3);
    PyObject *said = ended < 0 ? NULL : PyObject_CallOneArg(asked->watch, job);
    if (!said) goto done;
    Py_DECREF(said);
  }
  result = mmpy_job_table(job, NULL);
done:
  if (!result && !atomic_load(&exec->ended)) { /* the callback may have kept the job, which would keep running */
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    Py_BEGIN_ALLOW_THREADS
    await_cancelled(exec);
    Py_END_ALLOW_THREADS
    PyErr_Restore(type, value, traceback);
  }
  Py_DECREF(job);
  return result;
}

static PyObject *core_run(PyObject *module, PyObject *arguments, PyObject *keywords) {
  module_state *state = PyModule_GetState(module);
  run_request asked;
  run_result opened;
  deferred_release_drain();
  if (run_request_read(state, arguments, keywords, true, &asked) < 0) return NULL;
  if (asked.watch) return run_watched(state, &asked);
  if (run_request_open(&asked, &opened) < 0) return NULL;
  int64_t copied = run_request_copied(&asked);
  if (!run_result_works(&opened)) return run_nothing(state, &opened, copied);
  execution *exec = run_request_execution(state, &asked, &opened);
  return exec ? run_execution(asked.plan, exec, copied) : NULL;
}

static PyMethodDef functions[] = {
    {"run", MMPY_METHOD(core_run), METH_VARARGS | METH_KEYWORDS,
     "run($module, plan, data, /, threads=0, out=None, copy=False, timeout=None, watch=None, output=None)\n--\n\n"
     "Run and wait, the GIL released. `watch` is called some ten times a second."},
    {"submit", MMPY_METHOD(core_submit), METH_VARARGS | METH_KEYWORDS,
     "submit($module, plan, data, /, threads=0, out=None, copy=False, timeout=None, room=0)\n--\n\n"
     "Run in the background."},
    {0}};

int mmpy_run_register(PyObject *module, module_state *state) {
  (void)state;
  return PyModule_AddFunctions(module, functions);
}
