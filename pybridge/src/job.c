/* job.c - run(), submit() and the Job type: works as Python sees them.
 *
 * DESIGN. The GIL is given up whenever a job is waited for, and taken back every 50 ms to let signals be handled. A job that does not
 * stop within 2 s after it was cancelled is left to its keeper, with its inputs.
 *
 * SPDX-License-Identifier: MIT */
#include "plan.h"
#include "table.h"
#include "work.h"
#include "host.h"
#include <math.h>
#include <unistd.h>

enum { SLICE_MS = 50, WATCH_MS = 100, PATIENCE_MS = 2000 };

typedef struct job_object {
  PyObject_HEAD module_state *state;
  plan_object *plan;
  mm_work *work;
  int64_t copied;  /* bytes on the way in */
  PyObject *table; /* the result, once it was asked for */
} job_object;

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

static PyObject *wrap_result(module_state *state, mm_work *work, int64_t copied) {
  PyObject *table = mm_table_wrap(state, &work->table, copied + work->traffic.copied, work->traffic.shared);
  PyObject *notes = table ? notes_of(work) : NULL;
  if (table && (!notes || mm_table_note(table, notes) < 0)) Py_CLEAR(table);
  Py_XDECREF(notes);
  return table;
}

/* Raise what made a work fail that has ended. */
static PyObject *raise_failure(plan_object *plan, const mm_work *work) {
  if (atomic_load(&work->late) && work->status == MM_ELIMIT)
    return mm_raise_new(plan->state, MM_ELIMIT, "timeout", NULL, NULL, "stopped after %g seconds, as timeout asked",
                        work->limit);
  if (work->status == MM_ECANCEL)
    return mm_raise_new(plan->state, MM_ECANCEL, "cancelled", NULL, NULL, "the job was cancelled");
  return mm_plan_raise(plan, &work->error);
}

/* Bytes copied to make the input. */
static int64_t copied_of(PyObject *table) { return ((table_object *)table)->copied; }

/* ---- Running on the thread that asks ---- */

/* It was told to stop: give it a while, then leave it to a keeper. The GIL is held; an exception may be set. */
static void stop(mm_work *work) {
  PyObject *type, *value, *traceback;
  mm_error error;
  PyErr_Fetch(&type, &value, &traceback);
  Py_BEGIN_ALLOW_THREADS
  mm_work_cancel(work);
  if (!mm_work_wait(work, PATIENCE_MS) && !work->kept) mm_work_keep(work, &error);
  if (atomic_load(&work->ended) || work->kept) mm_work_leave(work); /* else it is lost with its inputs */
  Py_END_ALLOW_THREADS
  PyErr_Restore(type, value, traceback);
}

/* Wait for its end; false: an exception, and the work is gone. */
static bool wait_for(plan_object *plan, mm_work *work) {
  for (;;) {
    bool ended;
    Py_BEGIN_ALLOW_THREADS
    ended = mm_work_wait(work, SLICE_MS);
    Py_END_ALLOW_THREADS
    if (ended) return true;
    if (PyErr_CheckSignals() < 0) {
      stop(work);
      return false;
    }
    if (atomic_load(&work->late) && mm_host_clock() - work->began > work->limit + PATIENCE_MS * 1e-3) {
      mm_raise_new(plan->state, MM_ELIMIT, "timeout", NULL, "a thread is within a call that cannot be stopped",
                   "the job was told to stop after %g seconds, and does not", work->limit);
      stop(work);
      return false;
    }
  }
}

static PyObject *run_work(plan_object *plan, mm_work *work, int64_t copied) {
  bool small;
  Py_BEGIN_ALLOW_THREADS
  small = mm_work_run_here(work);
  if (!small) mm_work_start(work);
  Py_END_ALLOW_THREADS
  if (!small && !wait_for(plan, work)) return NULL;
  PyObject *result = work->status < 0 ? raise_failure(plan, work) : wrap_result(plan->state, work, copied);
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

typedef struct request {
  plan_object *plan;
  PyObject *table, *outs, *watch;
  int threads, copy;
  double limit;
} request;

static int read_limit(PyObject *timeout, double *limit) {
  if (!timeout || timeout == Py_None) return 0;
  *limit = PyFloat_AsDouble(timeout);
  if (*limit == -1 && PyErr_Occurred()) return -1;
  if (isnan(*limit) || *limit < 0) {
    PyErr_SetString(PyExc_ValueError, "timeout is a number of seconds from 0");
    return -1;
  }
  if (isinf(*limit)) *limit = 0;
  else if (*limit == 0) *limit = 1e-9; /* 0 stands for none */
  return 0;
}

static int read_request(module_state *state, PyObject *arguments, PyObject *keywords, bool watched, request *to) {
  static char *names[] = {"", "", "threads", "out", "copy", "timeout", "watch", NULL};
  static char *unwatched[] = {"", "", "threads", "out", "copy", "timeout", NULL};
  PyObject *plan, *timeout = NULL;
  *to = (request){0};
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, watched ? "OO|iOpOO:run" : "OO|iOpO:submit",
                                   watched ? names : unwatched, &plan, &to->table, &to->threads, &to->outs, &to->copy,
                                   &timeout, &to->watch))
    return -1;
  to->plan = mm_plan_of(state, plan);
  if (!to->plan || !mm_table_of(state, to->table) || read_limit(timeout, &to->limit) < 0) return -1;
  if (to->threads < 0) {
    PyErr_SetString(PyExc_ValueError, "threads is a number from 0");
    return -1;
  }
  if (to->outs == Py_None) to->outs = NULL;
  if (to->watch == Py_None) to->watch = NULL;
  return 0;
}

/* ---- Jobs ---- */

static PyObject *submit(module_state *state, const request *asked) {
  mm_outcome outcome;
  mm_error error = {0};
  if (mm_outcome_open(&outcome, asked->plan, asked->table, asked->outs, asked->copy) < 0) return NULL;
  PyTypeObject *class = (PyTypeObject *)(state->job_class ? state->job_class : state->job_type);
  job_object *self = (job_object *)class->tp_alloc(class, 0);
  if (!self) {
    mm_outcome_free(&outcome);
    return NULL;
  }
  self->state = state;
  self->plan = (plan_object *)Py_NewRef(asked->plan);
  self->copied = copied_of(asked->table);
  int status = MM_ENOMEM;
  mm_work *work;
  Py_BEGIN_ALLOW_THREADS
  work = mm_work_new(&outcome, asked->threads, asked->limit, &error);
  if (work) {
    mm_work_start(work);
    status = atomic_load(&work->ended) ? 0 : mm_work_keep(work, &error);
  }
  Py_END_ALLOW_THREADS
  self->work = work;
  if (status >= 0) return (PyObject *)self;
  if (work) { /* nobody can wait for it later */
    self->work = NULL;
    stop(work);
  }
  Py_DECREF(self);
  return mm_raise(state, &error);
}

/* The work, for this process; NULL and an exception in a child of fork, where its threads are not. */
static mm_work *work_of(PyObject *object) {
  job_object *self = (job_object *)object;
  if (self->work->process == getpid()) return self->work;
  mm_raise_new(self->state, MM_ESTATE, "forked", NULL, "start it in the process that needs its result",
               "the job belongs to process %ld, from which this one was forked", (long)self->work->process);
  return NULL;
}

static const char *state_of(const mm_work *work) {
  if (!atomic_load(&work->ended)) return mm_work_stuck(work) ? "stuck" : "running";
  if (work->status >= 0) return "done";
  return work->status == MM_ECANCEL ? "cancelled" : "failed";
}

static PyObject *job_state(PyObject *object, void *closure) {
  (void)closure;
  mm_work *work = work_of(object);
  return work ? PyUnicode_FromString(state_of(work)) : NULL;
}

static PyObject *job_plan(PyObject *object, void *closure) {
  (void)closure;
  return Py_NewRef((PyObject *)((job_object *)object)->plan);
}

static PyObject *job_fileno(PyObject *object, PyObject *unused) {
  (void)unused;
  mm_work *work = work_of(object);
  if (!work) return NULL;
  int descriptor = mm_work_descriptor(work);
  return descriptor < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(descriptor);
}

static PyObject *job_done(PyObject *object, PyObject *unused) {
  (void)unused;
  mm_work *work = work_of(object);
  return work ? PyBool_FromLong(atomic_load(&work->ended)) : NULL;
}

static PyObject *job_cancel(PyObject *object, PyObject *unused) {
  (void)unused;
  mm_work *work = work_of(object);
  if (!work) return NULL;
  if (atomic_load(&work->ended)) Py_RETURN_FALSE;
  Py_BEGIN_ALLOW_THREADS
  mm_work_cancel(work);
  Py_END_ALLOW_THREADS
  Py_RETURN_TRUE;
}

/* Wait until a moment of the clock, in slices; 1: it has ended, 0: not yet, -1 and an exception. */
static int wait_until(mm_work *work, double until) {
  for (;;) {
    double left = until - mm_host_clock();
    int slice = left <= 0 ? 0 : left * 1000 < SLICE_MS ? (int)(left * 1000) + 1 : SLICE_MS;
    bool ended;
    Py_BEGIN_ALLOW_THREADS
    ended = mm_work_wait(work, slice);
    Py_END_ALLOW_THREADS
    if (ended) return 1;
    if (PyErr_CheckSignals() < 0) return -1;
    if (left <= 0) return 0;
  }
}

static PyObject *job_wait(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
  mm_work *work = work_of(object);
  double seconds = 0;
  if (!work) return NULL;
  if (count > 1) return PyErr_Format(PyExc_TypeError, "wait() takes at most 1 argument, got %zd", count);
  bool forever = count == 0 || arguments[0] == Py_None;
  if (!forever) seconds = PyFloat_AsDouble(arguments[0]);
  if (seconds == -1 && PyErr_Occurred()) return NULL;
  if (isnan(seconds)) return PyErr_Format(PyExc_ValueError, "wait() takes a number of seconds");
  int ended = wait_until(work, forever ? INFINITY : mm_host_clock() + seconds);
  return ended < 0 ? NULL : PyBool_FromLong(ended);
}

static PyObject *job_table(PyObject *object, PyObject *unused) {
  (void)unused;
  job_object *self = (job_object *)object;
  mm_owner_drain();
  if (self->table) return Py_NewRef(self->table);
  mm_work *work = work_of(object);
  if (!work) return NULL;
  if (!atomic_load(&work->ended))
    return mm_raise_new(self->state, MM_ESTATE, "not-done", NULL, "wait for it, or ask for its result()",
                        "the job is not done yet");
  if (work->status < 0) return raise_failure(self->plan, work);
  self->table = wrap_result(self->state, work, self->copied);
  return Py_XNewRef(self->table);
}

static PyObject *job_counters(PyObject *object, PyObject *unused) {
  (void)unused;
  mm_work *work = work_of(object);
  mm_progress p;
  if (!work) return NULL;
  Py_BEGIN_ALLOW_THREADS
  mm_work_progress(work, &p);
  Py_END_ALLOW_THREADS
  return Py_BuildValue("{sLsLsLsLsLsisi}", "rows", (long long)p.rows, "rows_out", (long long)p.rows_out, "bytes",
                       (long long)p.bytes, "bytes_total", (long long)p.bytes_total, "morsels", (long long)p.morsels,
                       "stage", (int)p.stage, "threads", (int)work->threads);
}

static int job_traverse(PyObject *object, visitproc visit, void *arg) {
  job_object *self = (job_object *)object;
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self->table);
  return 0;
}

static int job_clear(PyObject *object) {
  Py_CLEAR(((job_object *)object)->table);
  return 0;
}

static void job_dealloc(PyObject *object) {
  job_object *self = (job_object *)object;
  PyTypeObject *type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  mm_work *work = self->work;
  self->work = NULL;
  if (work && work->process == getpid() && !atomic_load(&work->ended)) stop(work);
  else if (work) mm_work_leave(work);
  Py_CLEAR(self->plan);
  Py_CLEAR(self->table);
  type->tp_free(object);
  Py_DECREF(type);
  mm_owner_drain();
}

/* ---- run and submit ---- */

static PyObject *core_submit(PyObject *module, PyObject *arguments, PyObject *keywords) {
  module_state *state = PyModule_GetState(module);
  request asked;
  mm_owner_drain();
  if (read_request(state, arguments, keywords, false, &asked) < 0) return NULL;
  return submit(state, &asked);
}

/* A run that somebody watches is a job that is waited for. */
static PyObject *run_watched(module_state *state, const request *asked) {
  PyObject *job = submit(state, asked);
  PyObject *result = NULL;
  if (!job) return NULL;
  mm_work *work = ((job_object *)job)->work;
  for (int ended = 0; ended == 0;) {
    ended = wait_until(work, mm_host_clock() + WATCH_MS * 1e-3);
    PyObject *said = ended < 0 ? NULL : PyObject_CallOneArg(asked->watch, job);
    if (!said) goto done;
    Py_DECREF(said);
  }
  result = job_table(job, NULL);
done:
  if (!result && !atomic_load(&work->ended)) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    Py_BEGIN_ALLOW_THREADS
    mm_work_cancel(work);
    mm_work_wait(work, PATIENCE_MS);
    Py_END_ALLOW_THREADS
    PyErr_Restore(type, value, traceback);
  }
  Py_DECREF(job);
  return result;
}

static PyObject *core_run(PyObject *module, PyObject *arguments, PyObject *keywords) {
  module_state *state = PyModule_GetState(module);
  request asked;
  mm_outcome outcome;
  mm_error error;
  mm_owner_drain();
  if (read_request(state, arguments, keywords, true, &asked) < 0) return NULL;
  if (asked.watch) return run_watched(state, &asked);
  if (mm_outcome_open(&outcome, asked.plan, asked.table, asked.outs, asked.copy) < 0) return NULL;
  int64_t copied = copied_of(asked.table);
  if (!mm_outcome_works(&outcome)) return run_nothing(state, &outcome, copied);
  mm_work *work = mm_work_new(&outcome, asked.threads, asked.limit, &error);
  return work ? run_work(asked.plan, work, copied) : mm_raise(state, &error);
}

/* ---- The type ---- */

static PyGetSetDef attributes[] = {
    {"state", job_state, NULL,
     "\"running\", \"done\", \"failed\", \"cancelled\", or \"stuck\": it was cancelled and does not stop.", NULL},
    {"plan", job_plan, NULL, "The plan that it runs.", NULL},
    {0}};

static PyMethodDef methods[] = {
    {"fileno", job_fileno, METH_NOARGS,
     "fileno($self, /)\n--\n\nA descriptor that becomes readable when the job has ended; never read it."},
    {"wait", MM_METHOD(job_wait), METH_FASTCALL,
     "wait($self, timeout=None, /)\n--\n\nWait at most so many seconds; has it ended?"},
    {"cancel", job_cancel, METH_NOARGS, "cancel($self, /)\n--\n\nAsk it to stop; False when it has ended already."},
    {"done", job_done, METH_NOARGS, "done($self, /)\n--\n\nHas it ended, in whatever way?"},
    {"table", job_table, METH_NOARGS,
     "table($self, /)\n--\n\nThe result of a job that is done; raises what made it fail."},
    {"counters", job_counters, METH_NOARGS, "counters($self, /)\n--\n\nHow far it is, as a dict of numbers."},
    {0}};

static PyType_Slot slots[] = {{Py_tp_doc, "A run in the background. One that is dropped while it runs is cancelled."},
                              {Py_tp_dealloc, (void *)(uintptr_t)job_dealloc},
                              {Py_tp_traverse, (void *)(uintptr_t)job_traverse},
                              {Py_tp_clear, (void *)(uintptr_t)job_clear},
                              {Py_tp_getset, attributes},
                              {Py_tp_methods, methods},
                              {0}};

static PyType_Spec spec = {.name = "moonmill._core.Job",
                           .basicsize = sizeof(job_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC
                                    | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

static PyMethodDef functions[] = {
    {"run", MM_METHOD(core_run), METH_VARARGS | METH_KEYWORDS,
     "run($module, plan, table, /, threads=0, out=None, copy=False, timeout=None, watch=None)\n--\n\n"
     "Run and wait, the GIL released. `watch` is called some ten times a second."},
    {"submit", MM_METHOD(core_submit), METH_VARARGS | METH_KEYWORDS,
     "submit($module, plan, table, /, threads=0, out=None, copy=False, timeout=None)\n--\n\nRun in the background."},
    {0}};

int mm_job_register(PyObject *module, module_state *state) {
  if (mm_type_register(module, &spec, &state->job_type) < 0) return -1;
  return PyModule_AddFunctions(module, functions);
}
