/* call_args.c - arguments of typed functions from Python, and results to Python.
 *
 * DESIGN. A scalar is checked against its type, never converted in silence: what does not fit is refused. An array is
 * borrowed as it lies; its type must be the declared one. A result array that is an argument is the caller's own
 * object; a new one is a buffer, or an array of numpy over it where an argument was one.
 *
 * SPDX-License-Identifier: MIT */
#include "script/call_args.h"
#include "errors.h"
#include "export/buffer.h"
#include "text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_text(mm_type type) { return type.id == MM_UTF8 || type.id == MM_BINARY; }

/* ---- Room ---- */

int call_args_begin(call_args *p, module_state *state, const mm_function *info) {
  size_t arguments = (size_t)info->argument_count, results = (size_t)info->result_count;
  size_t most = arguments > results ? arguments : results;
  p->state = state;
  p->info = info;
  p->taken = 0;
  p->bytes = 0;
  p->numpy = false;
  p->values = p->few_values;
  p->arguments = p->few_arguments;
  p->results = p->few_results;
  p->borrows = p->few_borrows;
  if (most <= CALL_ARGS_FEW) return 0;
  p->values = PyMem_Calloc(most, sizeof *p->values + 2 * sizeof *p->arguments + sizeof *p->borrows);
  if (!p->values) {
    PyErr_NoMemory();
    return -1;
  }
  p->arguments = (mm_item *)(p->values + most);
  p->results = p->arguments + most;
  p->borrows = (borrowed_buffer *)(p->results + most);
  return 0;
}

void call_args_end(call_args *p) {
  for (int32_t i = 0; i < p->taken; i++) {
    const mm_slot *slot = &p->info->arguments[i];
    if (slot->array || slot->type.id == MM_BINARY) borrowed_buffer_return(&p->borrows[i]);
  }
  if (p->values != p->few_values) PyMem_Free(p->values);
}

/* ---- Refusals ---- */

static const char *slot_text(const mm_slot *slot, char *text, size_t size) {
  char type[40];
  snprintf(text, size, "%s%s%s%s", slot->mut ? "mut " : "", mm_type_name(slot->type, type, sizeof type),
           slot->array ? "[]" : "", slot->nullable ? "?" : "");
  return text;
}

/* Raise "function: argument <what>". Always -1. */
static int refuse_argument(const call_args *p, const mm_slot *slot, const char *id, const char *hint,
                           const char *what) {
  mm_error error = {.code = MM_EUSAGE, .stage = -1, .place = -1, .row = -1};
  snprintf(error.id, sizeof error.id, "%s", id);
  snprintf(error.field, sizeof error.field, "%s", slot->name);
  snprintf(error.hint, sizeof error.hint, "%s", hint ? hint : "");
  snprintf(error.message, sizeof error.message, "%s: %s %s", p->info->name, slot->name, what);
  raise_error(p->state, &error);
  return -1;
}

static int refuse_type(const call_args *p, const mm_slot *slot, PyObject *object, const char *hint) {
  char found[200], wanted[64], what[300];
  const char *shown = Py_TYPE(object)->tp_name;
  if (slot->array) shown = typed_memory_describe(object, found, sizeof found);
  snprintf(what, sizeof what, "is %.200s, expected %s", shown, slot_text(slot, wanted, sizeof wanted));
  return refuse_argument(p, slot, "wrong-type", hint, what);
}

static int refuse_value(const call_args *p, const mm_slot *slot, PyObject *object) {
  char wanted[64], what[300];
  PyErr_Clear();
  PyObject *shown = PyObject_Repr(object);
  const char *text = shown ? PyUnicode_AsUTF8(shown) : NULL;
  if (text) {
    snprintf(what, sizeof what, "is %.200s, which does not fit %s", text, slot_text(slot, wanted, sizeof wanted));
    refuse_argument(p, slot, "out-of-range", NULL, what);
  }
  Py_XDECREF(shown);
  return -1;
}

/* An exception of ours that does not say which argument it is about. Always -1. */
static int name_argument(const call_args *p, const mm_slot *slot) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  PyObject *message = NULL;
  if (value && attribute_find(value, "message", &message) == 1) {
    PyObject *text = PyUnicode_FromFormat("%s: %s: %S", p->info->name, slot->name, message);
    PyObject *name = PyUnicode_FromString(slot->name);
    if (text && name && PyObject_SetAttrString(value, "message", text) == 0)
      PyObject_SetAttrString(value, "field", name);
    Py_XDECREF(text);
    Py_XDECREF(name);
    Py_DECREF(message);
  }
  PyErr_Clear();
  PyErr_Restore(type, value, traceback);
  return -1;
}

/* ---- Scalars ---- */

/* Whole numbers of 64 bits; 1 when it is beyond them. */
static int whole_number(PyObject *number, bool is_signed, int64_t *value) {
  int overflow;
  *value = PyLong_AsLongLongAndOverflow(number, &overflow);
  if (*value == -1 && PyErr_Occurred()) return -1;
  if (is_signed) return overflow != 0;
  if (overflow == 0) return *value < 0;
  if (overflow < 0) return 1;
  *value = (int64_t)PyLong_AsUnsignedLongLong(number);
  if (*value != -1 || !PyErr_Occurred()) return 0;
  PyErr_Clear();
  return 1;
}

static int take_integer(const call_args *p, const mm_slot *slot, PyObject *object, mm_item *item) {
  static const struct {
    int64_t low, high;
  } ranges[] = {[MM_I8] = {INT8_MIN, INT8_MAX},    [MM_I16] = {INT16_MIN, INT16_MAX}, [MM_I32] = {INT32_MIN, INT32_MAX},
                [MM_I64] = {INT64_MIN, INT64_MAX}, [MM_U8] = {0, UINT8_MAX},          [MM_U16] = {0, UINT16_MAX},
                [MM_U32] = {0, UINT32_MAX}};
  bool is_signed = slot->type.id != MM_U64;
  int status;
  if (PyLong_Check(object)) {
    status = whole_number(object, is_signed, &item->i);
  } else if (PyIndex_Check(object)) {
    PyObject *number = PyNumber_Index(object);
    if (!number && !PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
    PyErr_Clear();
    if (!number) return refuse_type(p, slot, object, NULL);
    status = whole_number(number, is_signed, &item->i);
    Py_DECREF(number);
  } else {
    return refuse_type(p, slot, object, PyFloat_Check(object) ? "round it: int(x)" : NULL);
  }
  if (status < 0) return -1;
  int id = slot->type.id;
  if (status > 0 || (id != MM_U64 && (item->i < ranges[id].low || item->i > ranges[id].high)))
    return refuse_value(p, slot, object);
  return 0;
}

static int take_float(const call_args *p, const mm_slot *slot, PyObject *object, mm_item *item) {
  item->f = PyFloat_CheckExact(object) ? PyFloat_AS_DOUBLE(object) : PyFloat_AsDouble(object);
  if (item->f == -1.0 && PyErr_Occurred()) {
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) return refuse_value(p, slot, object);
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
    PyErr_Clear();
    return refuse_type(p, slot, object, NULL);
  }
  if (slot->type.id == MM_F32 && isfinite(item->f) && isinf((float)item->f)) return refuse_value(p, slot, object);
  return 0;
}

static int take_bool(const call_args *p, const mm_slot *slot, PyObject *object, mm_item *item) {
  const char *name = Py_TYPE(object)->tp_name;
  if (PyBool_Check(object)) item->i = object == Py_True;
  else if (strcmp(name, "numpy.bool") == 0 || strcmp(name, "numpy.bool_") == 0) item->i = PyObject_IsTrue(object);
  else return refuse_type(p, slot, object, "bool(x)");
  return item->i < 0 ? -1 : 0;
}

static int take_text(call_args *p, const mm_slot *slot, PyObject *object, mm_item *item, borrowed_buffer *borrow) {
  if (slot->type.id == MM_UTF8) {
    Py_ssize_t size = 0;
    const char *problem;
    if (!PyUnicode_Check(object)) return refuse_type(p, slot, object, NULL);
    item->data = mmpy_utf8_find(object, &size, &problem);
    item->size = size;
    return item->data ? 0 : problem ? refuse_argument(p, slot, "bad-utf8", NULL, problem) : -1;
  }
  if (!PyObject_CheckBuffer(object)) return refuse_type(p, slot, object, NULL);
  if (borrowed_buffer_take(p->state, object, NULL, false, borrow) < 0) return name_argument(p, slot);
  item->data = borrow->view.buf;
  item->size = borrow->view.len;
  return 0;
}

/* ---- Arrays ---- */

static const char *const dtypes[MM_TYPE_COUNT] = {
    [MM_BOOL] = "bool",  [MM_I8] = "int8",     [MM_I16] = "int16",  [MM_I32] = "int32",
    [MM_I64] = "int64",  [MM_U8] = "uint8",    [MM_U16] = "uint16", [MM_U32] = "uint32",
    [MM_U64] = "uint64", [MM_F32] = "float32", [MM_F64] = "float64"};

static bool is_numpy(PyObject *object) { return strcmp(Py_TYPE(object)->tp_name, "numpy.ndarray") == 0; }

/* Does a masked array of numpy have masked values? In memory they look like any others. */
static int misses_values(PyObject *object) {
  if (strcmp(Py_TYPE(object)->tp_name, "MaskedArray") != 0) return 0;
  PyObject *mask = PyObject_GetAttrString(object, "mask");
  PyObject *any = mask ? PyObject_CallMethod(mask, "any", NULL) : NULL;
  int missing = any ? PyObject_IsTrue(any) : -1;
  Py_XDECREF(any);
  Py_XDECREF(mask);
  return missing;
}

static int take_array(call_args *p, const mm_slot *slot, PyObject *object, mm_item *item, borrowed_buffer *borrow) {
  if (!PyObject_CheckBuffer(object) && !PyObject_HasAttrString(object, "__dlpack__")) {
    const char *hint = typed_memory_hint(object);
    return refuse_type(p, slot, object, hint ? hint : "pass an array of numpy or another buffer");
  }
  if (borrowed_buffer_take(p->state, object, NULL, slot->mut, borrow) < 0) return name_argument(p, slot);
  if (borrow->type.id != slot->type.id) {
    char hint[64];
    borrowed_buffer_return(borrow);
    snprintf(hint, sizeof hint, "pass array.astype(\"%s\")", dtypes[slot->type.id]);
    return refuse_type(p, slot, object, is_numpy(object) ? hint : NULL);
  }
  int missing = is_numpy(object) ? 0 : misses_values(object);
  if (missing != 0) borrowed_buffer_return(borrow);
  if (missing < 0) return -1;
  if (missing)
    return refuse_argument(p, slot, "masked", "pass array.filled(...), or array.compressed()", "has masked values");
  item->data = borrow->view.buf;
  item->size = borrow->length;
  p->bytes += borrow->view.len;
  p->numpy = p->numpy || is_numpy(object);
  return 0;
}

/* LuaJIT assumes that values of different types do not share memory. */
static int check_overlaps(const call_args *p) {
  for (int32_t i = 0; i < p->info->argument_count; i++) {
    const mm_slot *slot = &p->info->arguments[i];
    if (!slot->mut || p->arguments[i].null) continue;
    const char *start = p->arguments[i].data, *stop = start + p->borrows[i].view.len;
    for (int32_t k = 0; k < p->info->argument_count; k++) {
      const mm_slot *other = &p->info->arguments[k];
      const char *from = p->arguments[k].data;
      if (!other->array || p->arguments[k].null || other->type.id == slot->type.id) continue;
      if (from >= stop || from + p->borrows[k].view.len <= start) continue;
      char what[200];
      snprintf(what, sizeof what, "and %.100s share memory and have different types", other->name);
      return refuse_argument(p, slot, "shared-memory", "pass a copy of one of them", what);
    }
  }
  return 0;
}

static int take_argument(call_args *p, int32_t number) {
  const mm_slot *slot = &p->info->arguments[number];
  PyObject *object = p->values[number];
  mm_item *item = &p->arguments[number];
  item->null = object == Py_None;
  if (slot->array || slot->type.id == MM_BINARY) p->borrows[number] = (borrowed_buffer){0};
  p->taken = number + 1;
  if (item->null) return slot->nullable ? 0 : refuse_type(p, slot, object, "declare it with ? where None is meant");
  if (slot->array) return take_array(p, slot, object, item, &p->borrows[number]);
  if (is_text(slot->type)) return take_text(p, slot, object, item, &p->borrows[number]);
  if (slot->type.id == MM_BOOL) return take_bool(p, slot, object, item);
  if (slot->type.id == MM_F32 || slot->type.id == MM_F64) return take_float(p, slot, object, item);
  return take_integer(p, slot, object, item);
}

int call_args_take(call_args *p) {
  for (int32_t i = 0; i < p->info->argument_count; i++) {
    if (take_argument(p, i) < 0) return -1;
  }
  return p->bytes ? check_overlaps(p) : 0;
}

/* ---- Results ---- */

/* Whatever was not handed out: blocks, and texts in the place of `data`. */
static void drop_results(call_args *p, int32_t from) {
  for (int32_t i = from; i < p->info->result_count; i++) {
    const mm_slot *slot = &p->info->results[i];
    mm_item *item = &p->results[i];
    if (item->null) continue;
    if (slot->array) mm_block_release(item->block);
    else if (is_text(slot->type)) Py_XDECREF((PyObject *)(uintptr_t)item->data);
  }
}

int call_args_texts(call_args *p) {
  int status = 0;
  for (int32_t i = 0; i < p->info->result_count; i++) {
    const mm_slot *slot = &p->info->results[i];
    mm_item *item = &p->results[i];
    if (item->null || slot->array || !is_text(slot->type)) continue;
    const char *bytes = item->data;
    PyObject *text = status < 0                 ? NULL
                     : slot->type.id == MM_UTF8 ? PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)item->size, "strict")
                                                : PyBytes_FromStringAndSize(bytes, (Py_ssize_t)item->size);
    if (!text) status = -1;
    item->data = text;
  }
  if (status < 0) drop_results(p, 0);
  return status;
}

/* The array that a function made: takes the item's block. */
static PyObject *give_array(call_args *p, const mm_slot *slot, mm_item *item) {
  mm_block *block = item->block;
  item->block = NULL;
  if (!block) return Py_NewRef(p->values[item->argument]);
  PyObject *buffer = mmpy_buffer_wrap(p->state, block, item->data, slot->type, item->size, mm_block_sole(block));
  if (!buffer || !p->numpy) return buffer;
  PyObject *numpy = PyImport_ImportModule("numpy");
  PyObject *array = numpy ? PyObject_CallMethod(numpy, "asarray", "O", buffer) : NULL;
  Py_XDECREF(numpy);
  Py_DECREF(buffer);
  return array;
}

static PyObject *give_result(call_args *p, int32_t number) {
  const mm_slot *slot = &p->info->results[number];
  mm_item *item = &p->results[number];
  if (item->null) Py_RETURN_NONE;
  if (slot->array) return give_array(p, slot, item);
  switch (slot->type.id) {
  case MM_UTF8:
  case MM_BINARY: return (PyObject *)(uintptr_t)item->data;
  case MM_BOOL: return PyBool_FromLong((long)item->i);
  case MM_F32:
  case MM_F64: return PyFloat_FromDouble(item->f);
  case MM_U64: return PyLong_FromUnsignedLongLong((uint64_t)item->i);
  default: return PyLong_FromLongLong(item->i);
  }
}

PyObject *call_args_give(call_args *p) {
  int32_t count = p->info->result_count;
  if (count == 0) Py_RETURN_NONE;
  if (count == 1) return give_result(p, 0);
  PyObject *all = PyTuple_New(count);
  for (int32_t i = 0; all && i < count; i++) {
    PyObject *value = give_result(p, i);
    if (value) PyTuple_SET_ITEM(all, i, value);
    else {
      drop_results(p, i + 1);
      Py_CLEAR(all);
    }
  }
  return all;
}
