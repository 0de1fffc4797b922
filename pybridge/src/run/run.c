/* run.c - run() and submit(): what they take, waiting with an eye on signals, and results as tables.
 *
 * DESIGN. The GIL is given up whenever a job is waited for, and taken back every 20 ms to let signals be handled. A job
 * that does not stop within 2 s after it was told to, by a cancel or its time limit, is left to its keeper, with its
 * inputs.
 *
 * SPDX-License-Identifier: MIT */
#include "run/request.h"
#include "host.h"
#include "run/input.h"
#include "detached_call.h"
#include "table/table.h"
#include <math.h>

enum { SLICE_MS = 20, WATCH_MS = 100 };

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

/* Without the GIL: cancel a work, and give it a while to stop, counted from when it was first told to. */
static void cancel(mm_work *work) {
  mm_work_cancel(work);
  if (!mm_work_wait(work, mm_work_patience(work))) mm_work_abandon(work);
}

void mm_run_stop(mm_work *work) {
  PyObject *type, *value, *traceback;
  mm_error error;
  PyErr_Fetch(&type, &value, &traceback);
  Py_BEGIN_ALLOW_THREADS
  cancel(work);
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

/* ---- What run and submit take ---- */

static int read_request(module_state *state, PyObject *arguments, PyObject *keywords, bool watched, mm_request *to) {
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

/* ---- run and submit ---- */

static PyObject *core_submit(PyObject *module, PyObject *arguments, PyObject *keywords) {
  module_state *state = PyModule_GetState(module);
  mm_request asked;
  mm_owner_drain();
  if (read_request(state, arguments, keywords, false, &asked) < 0) return NULL;
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
    cancel(work);
    Py_END_ALLOW_THREADS
    PyErr_Restore(type, value, traceback);
  }
  Py_DECREF(job);
  return result;
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

static PyObject *core_run(PyObject *module, PyObject *arguments, PyObject *keywords) {
  module_state *state = PyModule_GetState(module);
  mm_request asked;
  mm_outcome outcome;
  mm_owner_drain();
  if (read_request(state, arguments, keywords, true, &asked) < 0) return NULL;
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
