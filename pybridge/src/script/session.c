/* session.c - the Session type: a script in a Lua state of its own.
 * SPDX-License-Identifier: MIT */
#include "deferred_release.h"
#include "detached_call.h"
#include "errors.h"
#include "run/plan.h"
#include "text.h"
#include "host.h"
#include "session.h"

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
  module_state *state = module_state_of((PyObject *)type);
  if (!state || warn_of_interpreter() < 0) return NULL;
  session_object *self = (session_object *)type->tp_alloc(type, 0);
  mm_error error;
  if (!self) return NULL;
  self->state = state;
  self->session = mm_session_new(&error);
  live_count(LIVE_sessions, 1);
  if (self->session) return (PyObject *)self;
  Py_DECREF(self);
  return raise_error(state, &error);
}

static void session_dealloc(PyObject *object) {
  session_object *self = (session_object *)object;
  PyTypeObject *type = Py_TYPE(object);
  mm_session *session = self->session;
  Py_BEGIN_ALLOW_THREADS
  mm_session_release(session);
  Py_END_ALLOW_THREADS
  live_count(LIVE_sessions, -1);
  type->tp_free(object);
  Py_DECREF(type);
}

static PyObject *session_ask(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
  session_object *self = (session_object *)object;
  deferred_release_drain();
  if (count < 1) return PyErr_Format(PyExc_TypeError, "ask() takes the name of a request");
  mm_text *texts = PyMem_Calloc((size_t)count, sizeof *texts);
  if (!texts) return PyErr_NoMemory();
  mm_buffer answer = {0};
  PyObject *result = NULL;
  for (Py_ssize_t i = 0; i < count; i++)
    if (mmpy_text_read(self->state, arguments[i], "a text for the session", &texts[i]) < 0) goto done;
  mm_error error = {0};
  detached_call call;
  detached_call_begin(&call, self->state);
  int status =
      mm_session_call(self->session, texts[0].bytes, texts + 1, (int32_t)count - 1, &call.pulse, &answer, &error);
  detached_call_end(&call);
  if (status < 0) raise_failures(self->state, &answer, &error);
  else result = PyUnicode_DecodeUTF8((const char *)answer.data, (Py_ssize_t)answer.size, "strict");
done:
  mm_buffer_free(&answer);
  PyMem_Free(texts);
  return result;
}

static PyObject *session_plan(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
  session_object *self = (session_object *)object;
  deferred_release_drain();
  if (count != 5) return PyErr_Format(PyExc_TypeError, "plan() takes 5 arguments, got %zd", count);
  return mmpy_plan_bind(self->state, self->session, arguments);
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
    {"ask", MMPY_METHOD(session_ask), METH_FASTCALL,
     "ask($self, name, /, *arguments)\n--\n\nA request (lua/host/session/session.h): JSON text."},
    {"plan", MMPY_METHOD(session_plan), METH_FASTCALL,
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
    {0}};

int mmpy_session_register(PyObject *module, module_state *state) {
  if (mmpy_type_register(module, &spec, &state->session_type) < 0) return -1;
  return PyModule_AddFunctions(module, functions);
}
