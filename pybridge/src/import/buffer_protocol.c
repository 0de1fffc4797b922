/* buffer_protocol.c - typed memory of Python objects: formats of the buffer protocol, numpy's times, and borrowing.
 *
 * DESIGN. Formats are taken by kind and size, since exporters spell the same type in several ways. numpy exports no
 * buffers of datetime64 and timedelta64; they are viewed as integers, and the unit is read from the dtype.
 *
 * SPDX-License-Identifier: MIT */
#include "import/buffer_protocol.h"
#include "deferred_release.h"
#include "errors.h"
#include "import/tensor.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Formats ---- */

static int by_size(Py_ssize_t size, int one, int two, int four, int eight) {
  return size == 1 ? one : size == 2 ? two : size == 4 ? four : size == 8 ? eight : -1;
}

/* MM_* of a format, or -1; *swapped when it names the other byte order. */
static int type_of(const char *format, Py_ssize_t size, bool *swapped) {
  const char *letter = format ? format : "B";
  *swapped = (*letter == '>' || *letter == '!') && size > 1;
  if (*letter && strchr("@=<>!|", *letter)) letter++;
  if (!*letter || letter[1]) return -1;
  if (strchr("bhilqn", *letter)) return by_size(size, MM_I8, MM_I16, MM_I32, MM_I64);
  if (strchr("BHILQN", *letter)) return by_size(size, MM_U8, MM_U16, MM_U32, MM_U64);
  if (*letter == 'f' || *letter == 'd') return by_size(size, -1, -1, MM_F32, MM_F64);
  if (size == 1) return *letter == '?' ? MM_BOOL : *letter == 'c' ? MM_U8 : -1;
  return -1;
}

/* Units of numpy's times: ours, and how many of it. Months and years have no fixed length. */
static const struct {
  const char *name;
  uint8_t unit;
  int64_t factor;
} units[] = {{"s", MM_SECONDS, 1},  {"ms", MM_MILLIS, 1},    {"us", MM_MICROS, 1},     {"ns", MM_NANOS, 1},
             {"m", MM_SECONDS, 60}, {"h", MM_SECONDS, 3600}, {"D", MM_SECONDS, 86400}, {"W", MM_SECONDS, 604800}};

/* "<M8[25s]": is it a time that can be taken? */
static bool parse_time(const char *dtype, mm_type *type, int64_t *factor) {
  char unit[4] = "";
  int count = 1;
  bool stamp = dtype[1] == 'M';
  if (strlen(dtype) < 6 || dtype[2] != '8' || dtype[3] != '[' || (!stamp && dtype[1] != 'm')) return false;
  if (sscanf(dtype + 4, "%9d%3[a-zA-Z]", &count, unit) != 2 && sscanf(dtype + 4, "%3[a-zA-Z]", unit) != 1) return false;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (strcmp(units[i].name, unit) != 0) continue;
    *type = (mm_type){.id = stamp ? MM_TIMESTAMP : MM_DURATION, .unit = units[i].unit};
    *factor = units[i].factor * count;
    if (!stamp || units[i].factor % 86400) return true;
    *type = (mm_type){.id = MM_DATE};
    *factor /= 86400;
    return true;
  }
  return false;
}

/* ---- Holding ---- */

/* The text of dtype.str; "" when there is none. */
static void dtype_of(PyObject *object, char *text, size_t size) {
  PyObject *dtype = PyObject_GetAttrString(object, "dtype");
  PyObject *name = dtype ? PyObject_GetAttrString(dtype, "str") : NULL;
  const char *bytes = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
  snprintf(text, size, "%s", bytes ? bytes : "");
  Py_XDECREF(name);
  Py_XDECREF(dtype);
  PyErr_Clear();
}

static int hold_view(PyObject *object, bool writable, Py_buffer *view) {
  return PyObject_GetBuffer(object, view, writable ? PyBUF_RECORDS : PyBUF_RECORDS_RO);
}

static int open_time(PyObject *object, bool writable, typed_memory *to) {
  char dtype[64], integers[4];
  dtype_of(object, dtype, sizeof dtype);
  if (!parse_time(dtype, &to->type, &to->factor)) return 0;
  snprintf(integers, sizeof integers, "%ci8", *dtype);
  PyObject *view = PyObject_CallMethod(object, "view", "s", integers);
  int status = view ? hold_view(view, writable, &to->view) : -1;
  Py_XDECREF(view);
  to->swapped = *dtype == '>';
  return status < 0 ? -1 : 1;
}

/* What PyObject_GetBuffer said stays raised only where it is about writing, or about something else than the kind of
 * memory. */
static int open_values(PyObject *object, bool writable, typed_memory *to) {
  if (hold_view(object, writable, &to->view) < 0) {
    if (!PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_BufferError)) return -1;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    int status = open_time(object, writable, to);
    if (status == 0 && writable) {
      PyErr_Restore(type, value, traceback);
      return -1;
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return status;
  }
  int type = type_of(to->view.format, to->view.itemsize, &to->swapped);
  to->type = (mm_type){.id = (uint8_t)type};
  to->factor = 1;
  if (type >= 0 && !to->view.suboffsets) return 1;
  PyBuffer_Release(&to->view);
  return 0;
}

int typed_memory_open(module_state *state, const char *name, PyObject *object, bool writable, typed_memory *to) {
  *to = (typed_memory){0};
  PyObject *tensor = PyObject_CheckBuffer(object) ? NULL : tensor_take(state, name, object);
  if (PyErr_Occurred()) return -1;
  if (!tensor && !PyObject_CheckBuffer(object)) return 0;
  int status = open_values(tensor ? tensor : object, writable, to);
  Py_XDECREF(tensor); /* the view holds it */
  if (status == 1) to->length = to->view.itemsize ? to->view.len / to->view.itemsize : 0;
  return status;
}

void typed_memory_close(typed_memory *held) {
  PyBuffer_Release(&held->view);
  *held = (typed_memory){0};
}

bool typed_memory_plain(const typed_memory *held) {
  bool aligned = (uintptr_t)held->view.buf % (uintptr_t)held->view.itemsize == 0;
  bool same = !held->swapped && held->factor == 1 && held->type.id != MM_DATE; /* dates of numpy have 8 bytes */
  return same && (aligned || held->length == 0) && PyBuffer_IsContiguous(&held->view, 'C');
}

const char *typed_memory_describe(PyObject *object, char *text, size_t size) {
  PyObject *dtype = PyObject_GetAttrString(object, "dtype");
  PyErr_Clear();
  PyObject *name = dtype ? PyObject_Str(dtype) : NULL;
  const char *bytes = name ? PyUnicode_AsUTF8(name) : NULL;
  Py_buffer view;
  if (bytes) snprintf(text, size, "%.100s of %.100s", Py_TYPE(object)->tp_name, bytes);
  else if (PyObject_CheckBuffer(object) && PyObject_GetBuffer(object, &view, PyBUF_FULL_RO) == 0) {
    snprintf(text, size, "%.100s of format \"%.50s\"", Py_TYPE(object)->tp_name, view.format ? view.format : "B");
    PyBuffer_Release(&view);
  } else snprintf(text, size, "%.100s", Py_TYPE(object)->tp_name);
  PyErr_Clear();
  Py_XDECREF(name);
  Py_XDECREF(dtype);
  return text;
}

const char *typed_memory_hint(PyObject *object) {
  PyObject *method = NULL;
  int found = attribute_find(object, "to_numpy", &method);
  Py_XDECREF(method);
  PyErr_Clear();
  return found > 0 ? "pass its to_numpy()" : NULL;
}

/* ---- Borrowing ---- */

/* Views of bytes and their like point to their own fields. */
void view_move(Py_buffer *to, Py_buffer *from) {
  *to = *from;
  if (from->shape == &from->len) to->shape = &to->len;
  if (from->strides == &from->itemsize) to->strides = &to->itemsize;
  *from = (Py_buffer){0};
}

/* Raise that it cannot be written, with the message of the exporter. */
static int refuse_writing(module_state *state, const char *name) {
  if (!PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_BufferError)) return -1;
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  PyObject *text = value ? PyObject_Str(value) : NULL;
  const char *bytes = text ? PyUnicode_AsUTF8(text) : NULL;
  raise_new(state, MM_EUSAGE, "not-writable", name, NULL, "the memory cannot be written: %.300s", bytes ? bytes : "?");
  Py_XDECREF(text);
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
  return -1;
}

static int refuse_layout(module_state *state, PyObject *object, const char *name, const typed_memory *held) {
  char text[256];
  typed_memory_describe(object, text, sizeof text);
  const char *why = held->swapped                                   ? "its bytes are in the other order"
                    : !PyBuffer_IsContiguous(&held->view, 'C')      ? "its values do not lie one after the other"
                    : held->factor != 1 || held->type.id == MM_DATE ? "its unit has no type here"
                                                                    : "its values are not aligned";
  raise_new(state, MM_EUSAGE, "not-plain", name, "pass a contiguous array of the type",
            "%s cannot be used without copying: %s", text, why);
  return -1;
}

int borrowed_buffer_take(module_state *state, PyObject *object, const char *name, bool writable, borrowed_buffer *to) {
  typed_memory held;
  char text[256];
  *to = (borrowed_buffer){0};
  int status = typed_memory_open(state, name, object, writable, &held);
  if (status < 0) return writable ? refuse_writing(state, name) : -1;
  if (status == 0) {
    raise_new(state, MM_EUSAGE, "unsupported-type", name, typed_memory_hint(object),
              "%s is not typed memory that can be used", typed_memory_describe(object, text, sizeof text));
    return -1;
  }
  if (!typed_memory_plain(&held)) {
    refuse_layout(state, object, name, &held);
    typed_memory_close(&held);
    return -1;
  }
  to->type = held.type;
  to->length = held.length;
  view_move(&to->view, &held.view);
  return 0;
}

void borrowed_buffer_return(borrowed_buffer *borrow) {
  PyBuffer_Release(&borrow->view);
  *borrow = (borrowed_buffer){0};
}

/* A view that a block holds. */
typedef struct holder {
  foreign_owner owner;
  Py_buffer view;
} holder;

static void release_holder(foreign_owner *owner) {
  holder *h = (holder *)owner;
  PyBuffer_Release(&h->view);
  free(h);
  live_count(LIVE_owners, -1);
}

mm_block *borrowed_buffer_block(module_state *state, borrowed_buffer *take) {
  holder *h = calloc(1, sizeof *h);
  mm_error error;
  mm_block *block = NULL;
  if (!h) PyErr_NoMemory();
  else block = mm_block_foreign(take->view.buf, take->view.len, h, deferred_release_push, &error);
  if (h && !block) raise_error(state, &error);
  if (!block) {
    free(h);
    borrowed_buffer_return(take);
    return NULL;
  }
  h->owner.release = release_holder;
  view_move(&h->view, &take->view);
  live_count(LIVE_owners, 1);
  *take = (borrowed_buffer){0};
  return block;
}
