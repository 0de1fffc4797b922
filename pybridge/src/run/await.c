/* await.c - waiting for an execution while signals are handled, and its result as a table.
 *
 * DESIGN. The GIL is released while a job is waited for, and taken every 20 ms to let signals be handled. A job that
 * does not stop within 2 s of a cancel or its time limit is left to its supervisor, together with its inputs.
 *
 * SPDX-License-Identifier: MIT */
#include "run/await.h"
#include "deadline.h"
#include "errors.h"
#include "table/table.h"
#include "host.h"

enum { SLICE_MS = 20 };

/* ---- Results ---- */

static PyObject *notes_of(const execution *exec) {
  PyObject *stages = PyList_New(exec->stages);
  for (int32_t i = 0; i < exec->stages && stages; i++) {
    PyObject *rows = exec->stage_rows ? Py_BuildValue("(LL)", (long long)exec->stage_rows[2 * i],
                                                      (long long)exec->stage_rows[2 * i + 1])
                                      : Py_NewRef(Py_None);
    if (rows) PyList_SET_ITEM(stages, i, rows);
    else Py_CLEAR(stages);
  }
  return stages
             ? Py_BuildValue("{sdsisN}", "seconds", exec->seconds, "threads", (int)exec->threads, "stage_rows", stages)
             : NULL;
}

static PyObject *raise_failure(plan_object *plan, const execution *exec) {
  if (atomic_load(&exec->late) && exec->status == MM_ELIMIT) return deadline_raise(plan->state, exec->asked);
  if (exec->status == MM_ECANCEL)
    return raise_new(plan->state, MM_ECANCEL, "cancelled", NULL, NULL, "the job was cancelled");
  return mmpy_plan_raise(plan, &exec->error);
}

PyObject *await_raise_stuck(plan_object *plan, const execution *exec) {
  static const char hint[] = "a thread is within a call that cannot be stopped";
  return atomic_load(&exec->late)
             ? raise_new(plan->state, MM_ELIMIT, "timeout", NULL, hint,
                         "the job was told to stop after %g seconds, and does not", exec->asked)
             : raise_new(plan->state, MM_ECANCEL, "cancelled", NULL, hint, "the job was cancelled, and does not stop");
}

PyObject *await_result(plan_object *plan, const execution *exec) {
  if (exec->status < 0) return raise_failure(plan, exec);
  if (exec->output) return PyLong_FromLongLong(exec->progress.rows_out);
  PyObject *notes = notes_of(exec), *table = notes ? mmpy_table_new(plan->state) : NULL;
  if (table && mmpy_table_note(table, notes) < 0) Py_CLEAR(table);
  Py_XDECREF(notes);
  return table;
}

int await_fill(PyObject *result, execution *exec, int64_t copied) {
  if (exec->output) return 0;
  return mmpy_table_fill(result, &exec->table, copied + exec->traffic.copied, exec->traffic.shared);
}

/* ---- Waiting ---- */

void await_cancelled(execution *exec) {
  execution_cancel(exec);
  if (!execution_wait(exec, execution_grace(exec))) execution_abandon(exec);
}

void await_stop(execution *exec) {
  PyObject *type, *value, *traceback;
  mm_error error;
  PyErr_Fetch(&type, &value, &traceback);
  Py_BEGIN_ALLOW_THREADS
  await_cancelled(exec);
  if (!exec->supervised && !exec->ended)
    execution_supervise(exec, &error); /* a supervisor goes after the end: it is looked for first */
  if (exec->supervised || exec->ended) execution_leave(exec); /* else it is lost with its inputs */
  Py_END_ALLOW_THREADS
  PyErr_Restore(type, value, traceback);
}

int await_execution(execution *exec, double until) {
  for (;;) {
    double left = until - mm_host_clock();
    int slice = left <= 0 ? 0 : left * 1000 < SLICE_MS ? (int)(left * 1000) + 1 : SLICE_MS;
    bool ended;
    Py_BEGIN_ALLOW_THREADS
    ended = execution_wait(exec, slice);
    Py_END_ALLOW_THREADS
    if (ended) return 1;
    if (PyErr_CheckSignals() < 0) return -1;
    if (left <= 0 || execution_stuck(exec)) return 0;
  }
}
