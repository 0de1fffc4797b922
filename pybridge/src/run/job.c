/* job.c - the Job type: a work in the background, with a keeper, as Python sees it.
 * SPDX-License-Identifier: MIT */
#include "run/job.h"
#include "deferred_release.h"
#include "errors.h"
#include "run/await.h"
#include "table/table.h"
#include "host.h"
#include <math.h>
#include <unistd.h>

enum { SLICE_MS = 50 };

typedef struct job_object {
  PyObject_HEAD module_state *state;
  plan_object *plan;
  mm_work *work;
  mm_queue *queue; /* that its result is taken from, or NULL */
  int64_t copied;  /* bytes on the way in */
  PyObject *table; /* the result, once it was asked for */
} job_object;

/* ---- Making ---- */

PyObject *mm_job_submit(module_state *state, const mm_request *asked) {
  mm_outcome outcome;
  mm_error error = {0};
  if (mm_request_open(asked, &outcome) < 0) return NULL;
  PyTypeObject *class = (PyTypeObject *)(state->job_class ? state->job_class : state->job_type);
  job_object *self = (job_object *)class->tp_alloc(class, 0);
  if (!self) {
    mm_outcome_free(&outcome);
    return NULL;
  }
  self->state = state;
  self->plan = (plan_object *)Py_NewRef(asked->plan);
  self->copied = mm_request_copied(asked);
  self->queue = outcome.queue;
  mm_queue_retain(self->queue);
  mm_work *work = mm_run_work(state, asked, &outcome);
  if (!work) {
    Py_DECREF(self);
    return NULL;
  }
  int status;
  Py_BEGIN_ALLOW_THREADS
  mm_work_start(work);
  status = atomic_load(&work->ended) ? 0 : mm_work_keep(work, &error);
  Py_END_ALLOW_THREADS
  if (status >= 0) {
    self->work = work;
    return (PyObject *)self;
  }
  mm_run_stop(work); /* nothing can wait for it later */
  Py_DECREF(self);
  return mm_raise(state, &error);
}

mm_work *mm_job_work(PyObject *job) { return ((job_object *)job)->work; }

/* ---- Watching ---- */

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

static PyObject *job_seconds(PyObject *object, void *closure) {
  (void)closure;
  mm_work *work = work_of(object);
  if (!work) return NULL;
  return PyFloat_FromDouble(atomic_load(&work->ended) ? work->seconds : mm_host_clock() - work->began);
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

static PyObject *job_wait(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
  mm_work *work = work_of(object);
  double seconds = 0;
  if (!work) return NULL;
  if (count > 1) return PyErr_Format(PyExc_TypeError, "wait() takes at most 1 argument, got %zd", count);
  bool forever = count == 0 || arguments[0] == Py_None;
  if (!forever) seconds = PyFloat_AsDouble(arguments[0]);
  if (seconds == -1 && PyErr_Occurred()) return NULL;
  if (isnan(seconds)) return PyErr_Format(PyExc_ValueError, "wait() takes a number of seconds");
  int ended = mm_run_wait(work, forever ? INFINITY : mm_host_clock() + seconds);
  return ended < 0 ? NULL : PyBool_FromLong(ended);
}

/* The result, where it was asked for before: a new reference. */
static PyObject *known_table(job_object *self) {
  PyObject *table;
  Py_BEGIN_CRITICAL_SECTION(self);
  table = Py_XNewRef(self->table);
  Py_END_CRITICAL_SECTION();
  return table;
}

PyObject *mm_job_table(PyObject *object, PyObject *unused) {
  (void)unused;
  job_object *self = (job_object *)object;
  mm_owner_drain();
  PyObject *table = known_table(self);
  if (table) return table;
  mm_work *work = work_of(object);
  if (!work) return NULL;
  if (mm_work_stuck(work)) return mm_run_raise_stuck(self->plan, work);
  if (!atomic_load(&work->ended))
    return mm_raise_new(self->state, MM_ESTATE, "not-done", NULL, "wait for it, or ask for its result()",
                        "the job is not done yet");
  PyObject *made = mm_run_result(self->plan, work);
  if (!made) return NULL;
  Py_BEGIN_CRITICAL_SECTION(object); /* making it may have let another thread ask */
  if (!self->table && mm_run_fill(made, work, self->copied) == 0) self->table = Py_NewRef(made);
  table = Py_XNewRef(self->table);
  Py_END_CRITICAL_SECTION();
  Py_DECREF(made);
  return table;
}

static PyObject *job_take(PyObject *object, PyObject *count) {
  job_object *self = (job_object *)object;
  mm_work *work = work_of(object);
  mm_table table = {0};
  mm_error error;
  int status = MM_QUEUE_WAIT;
  long long rows = PyLong_AsLongLong(count);
  mm_owner_drain();
  if (!work || (rows == -1 && PyErr_Occurred())) return NULL;
  if (!self->queue || rows < 1)
    return PyErr_Format(PyExc_ValueError, "take() is for a job that was submitted with room, and for 1 row or more");
  while (status == MM_QUEUE_WAIT) {
    Py_BEGIN_ALLOW_THREADS
    status = mm_queue_take(self->queue, rows, SLICE_MS, &table, &error);
    Py_END_ALLOW_THREADS
    if (status == MM_QUEUE_WAIT && mm_work_stuck(work)) return mm_run_raise_stuck(self->plan, work);
    if (PyErr_CheckSignals() == 0) continue;
    mm_table_free(&table);
    return NULL;
  }
  if (status > 0) return mm_table_wrap(self->state, &table, 0, 0);
  if (status < 0) return mm_raise(self->state, &error);
  return work->status < 0 ? mm_run_result(self->plan, work) : Py_NewRef(Py_None);
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
  if (work && work->process == getpid() && !atomic_load(&work->ended)) mm_run_stop(work);
  else if (work) mm_work_leave(work);
  mm_queue_release(self->queue);
  Py_CLEAR(self->plan);
  Py_CLEAR(self->table);
  type->tp_free(object);
  Py_DECREF(type);
  mm_owner_drain();
}

/* ---- The type ---- */

static PyGetSetDef attributes[] = {
    {"state", job_state, NULL,
     "\"running\", \"done\", \"failed\", \"cancelled\", or \"stuck\": it was told to stop and does not.", NULL},
    {"seconds", job_seconds, NULL, "Since it was started; when it has ended, how long it took.", NULL},
    {"plan", job_plan, NULL, "The plan that it runs.", NULL},
    {0}};

static PyMethodDef methods[] = {
    {"fileno", job_fileno, METH_NOARGS,
     "fileno($self, /)\n--\n\nA descriptor that becomes readable when the job has ended or is stuck; never read it."},
    {"wait", MM_METHOD(job_wait), METH_FASTCALL,
     "wait($self, timeout=None, /)\n--\n\nWait at most so many seconds, or until it is stuck; has it ended?"},
    {"cancel", job_cancel, METH_NOARGS, "cancel($self, /)\n--\n\nAsk it to stop; False when it has ended already."},
    {"done", job_done, METH_NOARGS, "done($self, /)\n--\n\nHas it ended, in whatever way?"},
    {"table", mm_job_table, METH_NOARGS,
     "table($self, /)\n--\n\nThe result of a job that is done; raises what made it fail."},
    {"take", job_take, METH_O,
     "take($self, rows, /)\n--\n\nThe next rows of a job that was submitted with room; None at their end."},
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

int mm_job_register(PyObject *module, module_state *state) { return mm_type_register(module, &spec, &state->job_type); }
