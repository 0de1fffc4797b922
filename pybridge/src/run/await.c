/* await.c - waiting for an execution with an eye on signals, and its result as a table.
 *
 * DESIGN. The GIL is given up whenever a job is waited for, and taken back every 20 ms to let signals be handled. A job
 * that does not stop within 2 s after it was told to, by a cancel or its time limit, is left to its keeper, with its
 * inputs.
 *
 * SPDX-License-Identifier: MIT */
#include "run/await.h"
#include "deadline.h"
#include "errors.h"
#include "table/table.h"
#include "host.h"

enum { SLICE_MS = 20 };

/* ---- Results ---- */

static PyObject *notes_of(const mm_work *work) {
  PyObject *stages = PyList_New(work->stages);
  for (int32_t i = 0; i < work->stages && stages; i++) {
    PyObject *rows = work->stage_rows ? Py_BuildValue("(LL)", (long long)work->stage_rows[2 * i],
                                                      (long long)work->stage_rows[2 * i + 1])
                                      : Py_NewRef(Py_None);
    if (rows) PyList_SET_ITEM(stages, i, rows);
    else Py_CLEAR(stages);
  }
  return stages
             ? Py_BuildValue("{sdsisN}", "seconds", work->seconds, "threads", (int)work->threads, "stage_rows", stages)
             : NULL;
}

static PyObject *raise_failure(plan_object *plan, const mm_work *work) {
  if (atomic_load(&work->late) && work->status == MM_ELIMIT) return mm_deadline_raise(plan->state, work->asked);
  if (work->status == MM_ECANCEL)
    return mm_raise_new(plan->state, MM_ECANCEL, "cancelled", NULL, NULL, "the job was cancelled");
  return mm_plan_raise(plan, &work->error);
}

PyObject *mm_run_raise_stuck(plan_object *plan, const mm_work *work) {
  static const char hint[] = "a thread is within a call that cannot be stopped";
  return atomic_load(&work->late) ? mm_raise_new(plan->state, MM_ELIMIT, "timeout", NULL, hint,
                                                 "the job was told to stop after %g seconds, and does not", work->asked)
                                  : mm_raise_new(plan->state, MM_ECANCEL, "cancelled", NULL, hint,
                                                 "the job was cancelled, and does not stop");
}

PyObject *mm_run_result(plan_object *plan, const mm_work *work) {
  if (work->status < 0) return raise_failure(plan, work);
  if (work->output) return PyLong_FromLongLong(work->progress.rows_out);
  PyObject *notes = notes_of(work), *table = notes ? mm_table_new(plan->state) : NULL;
  if (table && mm_table_note(table, notes) < 0) Py_CLEAR(table);
  Py_XDECREF(notes);
  return table;
}

int mm_run_fill(PyObject *result, mm_work *work, int64_t copied) {
  if (work->output) return 0;
  return mm_table_fill(result, &work->table, copied + work->traffic.copied, work->traffic.shared);
}

/* ---- Waiting ---- */

void mm_run_cancel(mm_work *work) {
  mm_work_cancel(work);
  if (!mm_work_wait(work, mm_work_patience(work))) mm_work_abandon(work);
}

void mm_run_stop(mm_work *work) {
  PyObject *type, *value, *traceback;
  mm_error error;
  PyErr_Fetch(&type, &value, &traceback);
  Py_BEGIN_ALLOW_THREADS
  mm_run_cancel(work);
  if (!work->kept && !work->ended) mm_work_keep(work, &error); /* a keeper goes after the end: it is looked for first */
  if (work->kept || work->ended) mm_work_leave(work);          /* else it is lost with its inputs */
  Py_END_ALLOW_THREADS
  PyErr_Restore(type, value, traceback);
}

int mm_run_wait(mm_work *work, double until) {
  for (;;) {
    double left = until - mm_host_clock();
    int slice = left <= 0 ? 0 : left * 1000 < SLICE_MS ? (int)(left * 1000) + 1 : SLICE_MS;
    bool ended;
    Py_BEGIN_ALLOW_THREADS
    ended = mm_work_wait(work, slice);
    Py_END_ALLOW_THREADS
    if (ended) return 1;
    if (PyErr_CheckSignals() < 0) return -1;
    if (left <= 0 || mm_work_stuck(work)) return 0;
  }
}
