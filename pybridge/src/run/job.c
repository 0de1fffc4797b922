/* job.c - the Job type: an execution in the background, with a supervisor, as Python sees it.
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
  execution *exec;
  row_queue *queue; /* that its result is taken from, or NULL */
  int64_t copied;   /* bytes on the way in */
  PyObject *table;  /* the result, once it was asked for */
} job_object;

/* ---- Making ---- */

PyObject *mmpy_job_submit(module_state *state, const run_request *asked) {
  run_result opened;
  mm_error error = {0};
  if (run_request_open(asked, &opened) < 0) return NULL;
  PyTypeObject *class = (PyTypeObject *)(state->job_class ? state->job_class : state->job_type);
  job_object *self = (job_object *)class->tp_alloc(class, 0);
  if (!self) {
    run_result_free(&opened);
    return NULL;
  }
  self->state = state;
  self->plan = (plan_object *)Py_NewRef(asked->plan);
  self->copied = run_request_copied(asked);
  self->queue = opened.queue;
  row_queue_retain(self->queue);
  execution *exec = run_request_execution(state, asked, &opened);
  if (!exec) {
    Py_DECREF(self);
    return NULL;
  }
  int status;
  Py_BEGIN_ALLOW_THREADS
  execution_start(exec);
  status = atomic_load(&exec->ended) ? 0 : execution_supervise(exec, &error);
  Py_END_ALLOW_THREADS
  if (status >= 0) {
    self->exec = exec;
    return (PyObject *)self;
  }
  await_stop(exec); /* nothing can wait for it later */
  Py_DECREF(self);
  return raise_error(state, &error);
}

execution *mmpy_job_execution(PyObject *job) { return ((job_object *)job)->exec; }

/* ---- Watching ---- */

/* The exec, for this process; NULL and an exception in a child of fork, where its threads are not. */
static execution *execution_of(PyObject *object) {
  job_object *self = (job_object *)object;
  if (self->exec->process == getpid()) return self->exec;
  raise_new(self->state, MM_ESTATE, "forked", NULL, "start it in the process that needs its result",
            "the job belongs to process %ld, from which this one was forked", (long)self->exec->process);
  return NULL;
}

static const char *state_of(const execution *exec) {
  if (!atomic_load(&exec->ended)) return execution_stuck(exec) ? "stuck" : "running";
  if (exec->status >= 0) return "done";
  return exec->status == MM_ECANCEL ? "cancelled" : "failed";
}

static PyObject *job_state(PyObject *object, void *closure) {
  (void)closure;
  execution *exec = execution_of(object);
  return exec ? PyUnicode_FromString(state_of(exec)) : NULL;
}

static PyObject *job_seconds(PyObject *object, void *closure) {
  (void)closure;
  execution *exec = execution_of(object);
  if (!exec) return NULL;
  return PyFloat_FromDouble(atomic_load(&exec->ended) ? exec->seconds : mm_host_clock() - exec->began);
}

static PyObject *job_plan(PyObject *object, void *closure) {
  (void)closure;
  return Py_NewRef((PyObject *)((job_object *)object)->plan);
}

static PyObject *job_fileno(PyObject *object, PyObject *unused) {
  (void)unused;
  execution *exec = execution_of(object);
  if (!exec) return NULL;
  int descriptor = execution_descriptor(exec);
  return descriptor < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(descriptor);
}

static PyObject *job_done(PyObject *object, PyObject *unused) {
  (void)unused;
  execution *exec = execution_of(object);
  return exec ? PyBool_FromLong(atomic_load(&exec->ended)) : NULL;
}

static PyObject *job_cancel(PyObject *object, PyObject *unused) {
  (void)unused;
  execution *exec = execution_of(object);
  if (!exec) return NULL;
  if (atomic_load(&exec->ended)) Py_RETURN_FALSE;
  Py_BEGIN_ALLOW_THREADS
  execution_cancel(exec);
  Py_END_ALLOW_THREADS
  Py_RETURN_TRUE;
}

static PyObject *job_wait(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
  execution *exec = execution_of(object);
  double seconds = 0;
  if (!exec) return NULL;
  if (count > 1) return PyErr_Format(PyExc_TypeError, "wait() takes at most 1 argument, got %zd", count);
  bool forever = count == 0 || arguments[0] == Py_None;
  if (!forever) seconds = PyFloat_AsDouble(arguments[0]);
  if (seconds == -1 && PyErr_Occurred()) return NULL;
  if (isnan(seconds)) return PyErr_Format(PyExc_ValueError, "wait() takes a number of seconds");
  int ended = await_execution(exec, forever ? INFINITY : mm_host_clock() + seconds);
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

PyObject *mmpy_job_table(PyObject *object, PyObject *unused) {
  (void)unused;
  job_object *self = (job_object *)object;
  deferred_release_drain();
  PyObject *table = known_table(self);
  if (table) return table;
  execution *exec = execution_of(object);
  if (!exec) return NULL;
  if (execution_stuck(exec)) return await_raise_stuck(self->plan, exec);
  if (!atomic_load(&exec->ended))
    return raise_new(self->state, MM_ESTATE, "not-done", NULL, "wait for it, or ask for its result()",
                     "the job is not done yet");
  PyObject *made = await_result(self->plan, exec);
  if (!made) return NULL;
  Py_BEGIN_CRITICAL_SECTION(object); /* making it may have let another thread ask */
  if (!self->table && await_fill(made, exec, self->copied) == 0) self->table = Py_NewRef(made);
  table = Py_XNewRef(self->table);
  Py_END_CRITICAL_SECTION();
  Py_DECREF(made);
  return table;
}

static PyObject *job_take(PyObject *object, PyObject *count) {
  job_object *self = (job_object *)object;
  execution *exec = execution_of(object);
  mm_table table = {0};
  mm_error error;
  int status = ROW_QUEUE_WAIT;
  long long rows = PyLong_AsLongLong(count);
  deferred_release_drain();
  if (!exec || (rows == -1 && PyErr_Occurred())) return NULL;
  if (!self->queue || rows < 1)
    return PyErr_Format(PyExc_ValueError, "take() is for a job that was submitted with room, and for 1 row or more");
  while (status == ROW_QUEUE_WAIT) {
    Py_BEGIN_ALLOW_THREADS
    status = row_queue_take(self->queue, rows, SLICE_MS, &table, &error);
    Py_END_ALLOW_THREADS
    if (status == ROW_QUEUE_WAIT && execution_stuck(exec)) return await_raise_stuck(self->plan, exec);
    if (PyErr_CheckSignals() == 0) continue;
    mm_table_free(&table);
    return NULL;
  }
  if (status > 0) return mmpy_table_wrap(self->state, &table, 0, 0);
  if (status < 0) return raise_error(self->state, &error);
  return exec->status < 0 ? await_result(self->plan, exec) : Py_NewRef(Py_None);
}

static PyObject *job_counters(PyObject *object, PyObject *unused) {
  (void)unused;
  execution *exec = execution_of(object);
  mm_progress p;
  if (!exec) return NULL;
  Py_BEGIN_ALLOW_THREADS
  execution_progress(exec, &p);
  Py_END_ALLOW_THREADS
  return Py_BuildValue("{sLsLsLsLsLsisi}", "rows", (long long)p.rows, "rows_out", (long long)p.rows_out, "bytes",
                       (long long)p.bytes, "bytes_total", (long long)p.bytes_total, "morsels", (long long)p.morsels,
                       "stage", (int)p.stage, "threads", (int)exec->threads);
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
  execution *exec = self->exec;
  self->exec = NULL;
  if (exec && exec->process == getpid() && !atomic_load(&exec->ended)) await_stop(exec);
  else if (exec) execution_leave(exec);
  row_queue_release(self->queue);
  Py_CLEAR(self->plan);
  Py_CLEAR(self->table);
  type->tp_free(object);
  Py_DECREF(type);
  deferred_release_drain();
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
    {"wait", MMPY_METHOD(job_wait), METH_FASTCALL,
     "wait($self, timeout=None, /)\n--\n\nWait at most so many seconds, or until it is stuck; has it ended?"},
    {"cancel", job_cancel, METH_NOARGS, "cancel($self, /)\n--\n\nAsk it to stop; False when it has ended already."},
    {"done", job_done, METH_NOARGS, "done($self, /)\n--\n\nHas it ended, in whatever way?"},
    {"table", mmpy_job_table, METH_NOARGS,
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

int mmpy_job_register(PyObject *module, module_state *state) {
  return mmpy_type_register(module, &spec, &state->job_type);
}
