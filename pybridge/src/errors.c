/* errors.c - failures of the core, and of the extension, as Python exceptions: the only place that makes them.
 * SPDX-License-Identifier: MIT */
#include "errors.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Before the package has said what it wants. */
static PyObject *plain_type(int code) {
  switch (code) {
  case MM_ENOMEM: return PyExc_MemoryError;
  case MM_EIO: return PyExc_OSError;
  case MM_EDATA:
  case MM_EUSAGE: return PyExc_ValueError;
  default: return PyExc_RuntimeError;
  }
}

/* ---- The fields of a failure ---- */

/* Put what is made of a field into the dict; takes `value`. */
static int put_value(PyObject *fields, const char *key, PyObject *value) {
  int status = value ? PyDict_SetItemString(fields, key, value) : -1;
  Py_XDECREF(value);
  return status;
}

/* An empty text is left out. */
static int put_text(PyObject *fields, const char *key, const char *text) {
  return *text ? put_value(fields, key, PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace")) : 0;
}

/* A number less than 1 is left out. */
static int put_number(PyObject *fields, const char *key, int64_t number) {
  return number > 0 ? put_value(fields, key, PyLong_FromLongLong(number)) : 0;
}

/* A dict of fields, as in a failure of `--errors json`, but `frames` is the text of the core. */
static PyObject *fields_of(const mm_error *error) {
  const struct {
    const char *key, *text;
  } texts[] = {{"code", mm_status_kind(error->code)},
               {"id", error->id},
               {"message", error->message},
               {"hint", error->hint},
               {"file", error->file},
               {"field", error->field},
               {"value", error->value},
               {"frames", error->frames}};
  PyObject *fields = PyDict_New();
  int status = fields ? 0 : -1;
  for (size_t i = 0; i < sizeof texts / sizeof *texts && status >= 0; i++)
    status = put_text(fields, texts[i].key, texts[i].text);
  if (status >= 0) status = put_number(fields, "line", error->line);
  if (status >= 0) status = put_number(fields, "column", error->column);
  if (status >= 0) status = put_number(fields, "row", error->row + 1);
  if (status < 0) Py_CLEAR(fields);
  return fields;
}

/* ---- Raising ---- */

/* Raise the exception that the package makes of `failures`, which is taken. */
static PyObject *raise_made(module_state *state, PyObject *failures) {
  PyObject *exception = failures && state->error ? PyObject_CallOneArg(state->error, failures) : NULL;
  if (exception && PyExceptionInstance_Check(exception)) PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
  else if (exception) PyErr_Format(PyExc_TypeError, "error() made a %.100s of a failure", Py_TYPE(exception)->tp_name);
  else if (failures && !state->error) PyErr_SetObject(PyExc_RuntimeError, failures);
  Py_XDECREF(exception);
  Py_XDECREF(failures);
  return NULL;
}

PyObject *raise_json(module_state *state, const char *json, Py_ssize_t size) {
  return raise_made(state, PyUnicode_DecodeUTF8(json, size, "replace"));
}

PyObject *raise_error(module_state *state, const mm_error *error) {
  if (!state->error) return PyErr_Format(plain_type(error->code), "%s", error->message);
  return raise_made(state, fields_of(error));
}

PyObject *raise_column(module_state *state, mm_error *error, const char *name) {
  char message[sizeof error->message], quoted[sizeof error->field + 2];
  snprintf(error->field, sizeof error->field, "%s", name);
  snprintf(quoted, sizeof quoted, "\"%s\"", error->field);
  if (!strstr(error->message, quoted)) { /* the core knows names only sometimes */
    memcpy(message, error->message, sizeof message);
    snprintf(error->message, sizeof error->message, "column %s: %.300s", quoted, message);
  }
  return raise_error(state, error);
}

PyObject *raise_new(module_state *state, int code, const char *id, const char *field, const char *hint,
                    const char *format, ...) {
  mm_error error = {.code = code, .stage = -1, .place = -1, .row = -1};
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error.message, sizeof error.message, format, arguments);
  va_end(arguments);
  snprintf(error.id, sizeof error.id, "%s", id);
  snprintf(error.hint, sizeof error.hint, "%s", hint ? hint : "");
  return field ? raise_column(state, &error, field) : raise_error(state, &error);
}

PyObject *raise_failures(module_state *state, mm_buffer *failures, const mm_error *error) {
  if (!PyErr_Occurred()) {
    if (failures->size) raise_json(state, (const char *)failures->data, (Py_ssize_t)failures->size);
    else raise_error(state, error);
  }
  mm_buffer_free(failures);
  return NULL;
}
