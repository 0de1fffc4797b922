/* errors.c - failures of the core, and of the extension, as Python exceptions: the only place that makes them.
 * SPDX-License-Identifier: MIT */
#include "errors.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *kind_of(int code) {
  switch (code) {
  case MM_EDATA: return "data";
  case MM_EUSAGE: return "usage";
  case MM_EIO: return "io";
  case MM_ELIMIT: return "limit";
  case MM_ESCRIPT: return "script";
  case MM_ENOMEM: return "memory";
  case MM_ESTATE: return "state";
  case MM_ECANCEL: return "cancel";
  default: return "bug";
  }
}

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

/* ---- JSON, as `--errors json` writes it ---- */

static const char *escape_character(char *room, size_t size, unsigned char c) {
  snprintf(room, size, c == '"' || c == '\\' ? "\\%c" : c < 32 || c == 127 ? "\\u%04x" : "%c", c);
  return room;
}

static int put(mm_buffer *json, const char *text) { return mm_buffer_append(json, text, (int64_t)strlen(text), NULL); }

/* "key":"text", unless the text is empty. */
static int put_text(mm_buffer *json, const char *key, const char *text) {
  char room[8];
  if (!*text) return 0;
  int status = put(json, json->data[json->size - 1] == '{' ? "\"" : ",\"");
  if (status >= 0) status = put(json, key);
  if (status >= 0) status = put(json, "\":\"");
  for (const char *at = text; *at && status >= 0; at++)
    status = put(json, escape_character(room, sizeof room, (unsigned char)*at));
  return status < 0 ? status : put(json, "\"");
}

/* "key":number, unless it is less than 1. */
static int put_number(mm_buffer *json, const char *key, int64_t number) {
  char text[64];
  if (number < 1) return 0;
  snprintf(text, sizeof text, ",\"%s\":%lld", key, (long long)number);
  return put(json, text);
}

/* "frames":[...] of lines "file\tline\tfunction\n", unless there are none. */
static int put_frames(mm_buffer *json, const char *frames) {
  char file[512], function[128];
  long line;
  int status = 0, taken = 0;
  bool any = false;
  while (status >= 0 && sscanf(frames, "%511[^\t\n]\t%ld\t%127[^\n]%*1[\n]%n", file, &line, function, &taken) == 3) {
    status = put(json, any ? ",{" : ",\"frames\":[{");
    if (status >= 0) status = put_text(json, "file", file);
    if (status >= 0) status = put_text(json, "function", function);
    if (status >= 0) status = put_number(json, "line", line);
    if (status >= 0) status = put(json, "}");
    frames += taken;
    any = true;
  }
  return status < 0 || !any ? status : put(json, "]");
}

static int put_failure(mm_buffer *json, const mm_error *error) {
  const struct {
    const char *key, *text;
  } texts[] = {{"code", kind_of(error->code)}, {"id", error->id},     {"message", error->message},
               {"hint", error->hint},          {"file", error->file}, {"field", error->field},
               {"value", error->value}};
  int status = put(json, "[{");
  for (size_t i = 0; i < sizeof texts / sizeof *texts && status >= 0; i++)
    status = put_text(json, texts[i].key, texts[i].text);
  if (status >= 0) status = put_number(json, "line", error->line);
  if (status >= 0) status = put_number(json, "column", error->column);
  if (status >= 0) status = put_number(json, "row", error->row + 1);
  if (status >= 0) status = put_frames(json, error->frames);
  return status < 0 ? status : put(json, "}]");
}

/* ---- Raising ---- */

PyObject *raise_json(module_state *state, const char *json, Py_ssize_t size) {
  PyObject *text = PyUnicode_DecodeUTF8(json, size, "replace");
  PyObject *exception = text && state->error ? PyObject_CallOneArg(state->error, text) : NULL;
  if (exception && PyExceptionInstance_Check(exception)) PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
  else if (exception) PyErr_Format(PyExc_TypeError, "error() made a %.100s of a failure", Py_TYPE(exception)->tp_name);
  else if (text && !state->error) PyErr_SetObject(PyExc_RuntimeError, text);
  Py_XDECREF(exception);
  Py_XDECREF(text);
  return NULL;
}

PyObject *raise_error(module_state *state, const mm_error *error) {
  if (!state->error) return PyErr_Format(plain_type(error->code), "%s", error->message);
  mm_buffer json = {0};
  if (put_failure(&json, error) < 0) PyErr_NoMemory();
  else raise_json(state, (const char *)json.data, (Py_ssize_t)json.size);
  mm_buffer_free(&json);
  return NULL;
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
