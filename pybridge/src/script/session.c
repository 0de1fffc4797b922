/* session.c - the Session type: a script in a Lua state of its own; and calls without the GIL that Ctrl-C and a deadline
 * interrupt.
 * SPDX-License-Identifier: MIT */
#include "detached_call.h"
#include "host.h"
#include "run/plan.h"
#include <math.h>

int mm_text_read(module_state *state, PyObject *text, const char *what, mm_text *to) {
  Py_ssize_t size = 0;
  to->bytes = mm_utf8_of(state, text, &size, what);
  to->size = size;
  return to->bytes ? 0 : -1;
}

/* ---- The deadline of this thread ---- */

static _Thread_local mm_deadline current; /* until 0: none */

const mm_deadline *mm_deadline_here(void) { return current.until > 0 ? &current : NULL; }

int mm_deadline_read(PyObject *timeout, double *seconds) {
  *seconds = 0;
  if (!timeout || timeout == Py_None) return 0;
  double given = PyFloat_AsDouble(timeout);
  bool wrong = given == -1 && PyErr_Occurred();
  if (wrong && !PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
  if (wrong || !(given >= 0)) {
    PyErr_Format(wrong ? PyExc_TypeError : PyExc_ValueError, "timeout is %R, expected a number of seconds from 0",
                 timeout);
    return -1;
  }
  if (given == 0) given = MM_AT_ONCE;
  if (!isinf(given)) *seconds = given;
  return 0;
}

PyObject *mm_deadline_raise(module_state *state, double seconds) {
  return mm_raise_new(state, MM_ELIMIT, "timeout", NULL, NULL, "stopped after %g seconds, as timeout asked",
                      seconds <= MM_AT_ONCE ? 0 : seconds);
}

/* What was set before, for restore_deadline. */
static PyObject *core_set_deadline(PyObject *module, PyObject *timeout) {
  (void)module;
  double seconds;
  if (mm_deadline_read(timeout, &seconds) < 0) return NULL;
  PyObject *before = Py_BuildValue("(dd)", current.until, current.seconds);
  if (before) current = (mm_deadline){seconds > 0 ? mm_host_clock() + seconds : 0, seconds};
  return before;
}

static PyObject *core_restore_deadline(PyObject *module, PyObject *before) {
  (void)module;
  mm_deadline former;
  if (!PyArg_ParseTuple(before, "dd", &former.until, &former.seconds)) return NULL;
  current = former;
  Py_RETURN_NONE;
}

/* ---- Calls that are interrupted ---- */

/* On the thread that gave the GIL up. Handlers of signals run here and may raise. */
static int beat(void *context) {
  mm_away *away = context;
  PyEval_RestoreThread(away->thread);
  int raised = PyErr_CheckSignals();
  if (!raised && current.until > 0 && mm_host_clock() > current.until) {
    mm_deadline_raise(away->state, current.seconds);
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

PyObject *mm_session_raise(module_state *state, mm_buffer *failures, const mm_error *error) {
  if (!PyErr_Occurred()) {
    if (failures->size) mm_raise_json(state, (const char *)failures->data, (Py_ssize_t)failures->size);
    else mm_raise(state, error);
  }
  mm_buffer_free(failures);
  return NULL;
}

/* ---- The type ---- */

typedef struct session_object {
  PyObject_HEAD module_state *state;
  mm_session *session;
} session_object;

/* Once in this process. Negative with an exception, where warnings are errors. */
static int warn_of_interpreter(void) {
  static atomic_flag warned = ATOMIC_FLAG_INIT;
  if (mm_host_machine_code() || atomic_flag_test_and_set(&warned)) return 0;
  return PyErr_WarnEx(PyExc_RuntimeWarning, "the system denies machine code, so scripts run without JIT, slower", 1);
}

static PyObject *session_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
  static char *none[] = {NULL};
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, ":Session", none)) return NULL;
  module_state *state = mm_state_of((PyObject *)type);
  if (!state || warn_of_interpreter() < 0) return NULL;
  session_object *self = (session_object *)type->tp_alloc(type, 0);
  mm_error error;
  if (!self) return NULL;
  self->state = state;
  self->session = mm_session_new(&error);
  mm_live_add(MM_LIVE_sessions, 1);
  if (self->session) return (PyObject *)self;
  Py_DECREF(self);
  return mm_raise(state, &error);
}

static void session_dealloc(PyObject *object) {
  session_object *self = (session_object *)object;
  PyTypeObject *type = Py_TYPE(object);
  mm_session *session = self->session;
  Py_BEGIN_ALLOW_THREADS
  mm_session_release(session);
  Py_END_ALLOW_THREADS
  mm_live_add(MM_LIVE_sessions, -1);
  type->tp_free(object);
  Py_DECREF(type);
}

static PyObject *session_ask(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
  session_object *self = (session_object *)object;
  mm_owner_drain();
  if (count < 1) return PyErr_Format(PyExc_TypeError, "ask() takes the name of a request");
  mm_text *texts = PyMem_Calloc((size_t)count, sizeof *texts);
  if (!texts) return PyErr_NoMemory();
  mm_buffer answer = {0};
  PyObject *result = NULL;
  for (Py_ssize_t i = 0; i < count; i++)
    if (mm_text_read(self->state, arguments[i], "a text for the session", &texts[i]) < 0) goto done;
  mm_error error = {0};
  mm_away away;
  mm_away_begin(&away, self->state);
  int status =
      mm_session_call(self->session, texts[0].bytes, texts + 1, (int32_t)count - 1, &away.pulse, &answer, &error);
  mm_away_end(&away);
  if (status < 0) mm_session_raise(self->state, &answer, &error);
  else result = PyUnicode_DecodeUTF8((const char *)answer.data, (Py_ssize_t)answer.size, "strict");
done:
  mm_buffer_free(&answer);
  PyMem_Free(texts);
  return result;
}

static PyObject *session_plan(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
  session_object *self = (session_object *)object;
  mm_owner_drain();
  if (count != 5) return PyErr_Format(PyExc_TypeError, "plan() takes 5 arguments, got %zd", count);
  return mm_plan_bind(self->state, self->session, arguments);
}

static PyObject *session_drop(PyObject *object, PyObject *handle) {
  long number = PyLong_AsLong(handle);
  if (number == -1 && PyErr_Occurred()) return NULL;
  mm_session_drop(((session_object *)object)->session, (int32_t)number);
  Py_RETURN_NONE;
}

static PyObject *session_lost(PyObject *object, void *closure) {
  (void)closure;
  return PyBool_FromLong(mm_session_lost(((session_object *)object)->session));
}

static PyMethodDef methods[] = {
    {"ask", MM_METHOD(session_ask), METH_FASTCALL,
     "ask($self, name, /, *arguments)\n--\n\nA request (lua/host/session.h): JSON text."},
    {"plan", MM_METHOD(session_plan), METH_FASTCALL,
     "plan($self, handle, names, types, nullables, params, /)\n--\n\nBind a pipeline to columns and parameters."},
    {"drop", session_drop, METH_O, "drop($self, handle, /)\n--\n\nForget a script, or a half of one, without waiting."},
    {0}};

static PyGetSetDef attributes[] = {
    {"lost", session_lost, NULL, "Its state was given up: the script is to be loaded into a new session.", NULL}, {0}};

static PyType_Slot slots[] = {{Py_tp_doc, "Session()\n--\n\nA Lua state with the language in it, for one script."},
                              {Py_tp_new, (void *)(uintptr_t)session_new},
                              {Py_tp_dealloc, (void *)(uintptr_t)session_dealloc},
                              {Py_tp_methods, methods},
                              {Py_tp_getset, attributes},
                              {0}};

static PyType_Spec spec = {.name = "moonmill._core.Session",
                           .basicsize = sizeof(session_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

/* ---- The module's functions ---- */

static PyObject *core_collect(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  int64_t bytes;
  Py_BEGIN_ALLOW_THREADS
  bytes = mm_sessions_collect();
  Py_END_ALLOW_THREADS
  return PyLong_FromLongLong(bytes);
}

static PyMethodDef functions[] = {
    {"collect", core_collect, METH_NOARGS,
     "collect($module, /)\n--\n\nAll sessions free what nothing refers to any more; the bytes that they then hold."},
    {"set_deadline", core_set_deadline, METH_O,
     "set_deadline($module, timeout, /)\n--\n\nWhat this thread does is stopped after so many seconds (None: as it "
     "comes). Returns what to restore."},
    {"restore_deadline", core_restore_deadline, METH_O,
     "restore_deadline($module, before, /)\n--\n\nSet the deadline that set_deadline returned."},
    {0}};

int mm_session_register(PyObject *module, module_state *state) {
  if (mm_type_register(module, &spec, &state->session_type) < 0) return -1;
  return PyModule_AddFunctions(module, functions);
}
