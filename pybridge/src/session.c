/* session.c - the module's session: ask(), and calls into Lua that Ctrl-C interrupts.
 * SPDX-License-Identifier: MIT */
#include "scripts.h"
#include <string.h>

int mm_text_read(module_state *state, PyObject *text, const char *what, mm_text *to) {
  Py_ssize_t size = 0;
  to->bytes = mm_utf8_of(state, text, &size, what);
  to->size = size;
  return to->bytes ? 0 : -1;
}

/* On the thread that gave the GIL up. Handlers of signals run here and may raise. */
static int beat(void *context) {
  mm_away *away = context;
  PyEval_RestoreThread(away->thread);
  int raised = PyErr_CheckSignals();
  away->thread = PyEval_SaveThread();
  return raised;
}

void mm_away_begin(mm_away *away) {
  away->pulse = (mm_pulse){beat, away};
  away->thread = PyEval_SaveThread();
}

void mm_away_end(mm_away *away) { PyEval_RestoreThread(away->thread); }

/* Two threads may make one at the same time: the first one stays. */
mm_session *mm_session_here(module_state *state) {
  mm_session *here = atomic_load(&state->session), *made;
  if (here) return here;
  mm_error error;
  Py_BEGIN_ALLOW_THREADS
  made = mm_session_new(&error);
  Py_END_ALLOW_THREADS
  if (!made) {
    mm_raise(state, &error);
    return NULL;
  }
  if (atomic_compare_exchange_strong(&state->session, &here, made)) return made;
  mm_session_free(made);
  return here;
}

/* What was loaded is lost: the next call begins anew, and scripts are loaded again. */
static void give_up(module_state *state, mm_session *session) {
  if (atomic_compare_exchange_strong(&state->session, &session, NULL)) atomic_fetch_add(&state->lost, 1);
}

PyObject *mm_session_raise(module_state *state, mm_session *session, mm_buffer *failures, const mm_error *error) {
  if (PyErr_Occurred()) goto done;
  if (strcmp(error->id, "forked") == 0) give_up(state, session);
  if (failures->size) mm_raise_json(state, (const char *)failures->data, (Py_ssize_t)failures->size);
  else mm_raise(state, error);
done:
  mm_buffer_free(failures);
  return NULL;
}

static PyObject *core_ask(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  module_state *state = PyModule_GetState(module);
  mm_owner_drain();
  if (count < 1) return PyErr_Format(PyExc_TypeError, "ask() takes the name of a request");
  mm_text *texts = PyMem_Calloc((size_t)count, sizeof *texts);
  if (!texts) return PyErr_NoMemory();
  mm_buffer answer = {0};
  PyObject *result = NULL;
  for (Py_ssize_t i = 0; i < count; i++)
    if (mm_text_read(state, arguments[i], "a text for the session", &texts[i]) < 0) goto done;
  mm_session *session = mm_session_here(state);
  if (!session) goto done;
  mm_error error = {0};
  mm_away away;
  mm_away_begin(&away);
  int status = mm_session_call(session, texts[0].bytes, texts + 1, (int32_t)count - 1, &away.pulse, &answer, &error);
  mm_away_end(&away);
  if (status < 0) mm_session_raise(state, session, &answer, &error);
  else result = PyUnicode_DecodeUTF8((const char *)answer.data, (Py_ssize_t)answer.size, "strict");
done:
  mm_buffer_free(&answer);
  PyMem_Free(texts);
  return result;
}

int mm_session_collect(module_state *state) {
  mm_session *session = atomic_load(&state->session);
  mm_buffer answer = {0};
  mm_error error = {0};
  mm_away away;
  if (!session) return 0;
  mm_away_begin(&away);
  int status = mm_session_call(session, "collect", NULL, 0, &away.pulse, &answer, &error);
  mm_away_end(&away);
  if (status >= 0 || strcmp(error.id, "busy") == 0) mm_buffer_free(&answer);
  else mm_session_raise(state, session, &answer, &error);
  return PyErr_Occurred() ? -1 : 0;
}

static PyObject *core_drop(PyObject *module, PyObject *handle) {
  module_state *state = PyModule_GetState(module);
  long number = PyLong_AsLong(handle);
  if (number == -1 && PyErr_Occurred()) return NULL;
  mm_session *session = state->session;
  if (session) mm_session_drop(session, (int32_t)number);
  Py_RETURN_NONE;
}

static PyObject *core_sessions_lost(PyObject *module, PyObject *unused) {
  module_state *state = PyModule_GetState(module);
  (void)unused;
  return PyLong_FromLong(atomic_load_explicit(&state->lost, memory_order_relaxed));
}

static PyObject *core_forked(PyObject *module, PyObject *unused) {
  module_state *state = PyModule_GetState(module);
  (void)unused;
  mm_session *session = state->session;
  if (session && mm_session_lost(session)) give_up(state, session);
  Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"ask", MM_METHOD(core_ask), METH_FASTCALL,
     "ask($module, name, /, *arguments)\n--\n\nA request to the session (lua/host/session.h): JSON text."},
    {"drop", core_drop, METH_O, "drop($module, handle, /)\n--\n\nForget a script, without waiting for the session."},
    {"forked", core_forked, METH_NOARGS,
     "forked($module, /)\n--\n\nIn a child of a fork: give up the session if a thread of the parent was inside."},
    {"sessions_lost", core_sessions_lost, METH_NOARGS,
     "sessions_lost($module, /)\n--\n\nHow many sessions were given up, with the scripts that they had loaded."},
    {0}};

int mm_session_register(PyObject *module, module_state *state) {
  (void)state;
  return PyModule_AddFunctions(module, functions);
}
