/* column.c - the Column type: one column of one table.
 * SPDX-License-Identifier: MIT */
#include "column_bytes.h"
#include "errors.h"
#include "export/capsule.h"
#include "export/dlpack.h"
#include "export/requested_schema.h"
#include "export/value.h"
#include "table/table.h"
#include <stdlib.h>
#include <string.h>

PyObject *mmpy_column_wrap(table_object *table, int32_t index) {
  module_state *state = table->state;
  PyTypeObject *class = (PyTypeObject *)(state->column_class ? state->column_class : state->column_type);
  column_object *self = (column_object *)class->tp_alloc(class, 0);
  if (!self) return NULL;
  Py_INCREF(table);
  self->table = table;
  self->index = index;
  live_count(LIVE_columns, 1);
  return (PyObject *)self;
}

static int column_traverse(PyObject *object, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(((column_object *)object)->table);
  return 0;
}

static void column_dealloc(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  Py_CLEAR(((column_object *)object)->table);
  live_count(LIVE_columns, -1);
  type->tp_free(object);
  Py_DECREF(type);
}

static int64_t chunks_of(const column_object *self) { return self->table->table.count; }

/* ---- Values ---- */

static Py_ssize_t column_length(PyObject *object) { return (Py_ssize_t)((column_object *)object)->table->table.rows; }

static int64_t batch_of(const table_object *table, int64_t row) {
  int64_t low = 0, high = table->table.count - 1;
  while (low < high) {
    int64_t middle = (low + high + 1) / 2;
    if (table->starts[middle] <= row) low = middle;
    else high = middle - 1;
  }
  while (table->starts[low + 1] <= row) low++; /* over empty batches */
  return low;
}

static PyObject *slice_of(column_object *self, PyObject *key) {
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(key, &start, &stop, &step) < 0) return NULL;
  Py_ssize_t length = PySlice_AdjustIndices((Py_ssize_t)self->table->table.rows, &start, &stop, step);
  if (step != 1) return PyErr_Format(PyExc_ValueError, "a column is sliced with a step of 1 only");
  PyObject *alone = slice_columns(self->table, &self->index, 1);
  PyObject *table = alone ? slice_rows((table_object *)alone, start, length) : NULL;
  PyObject *column = table ? mmpy_column_wrap((table_object *)table, 0) : NULL;
  Py_XDECREF(alone);
  Py_XDECREF(table);
  return column;
}

/* Row `index`, from 0, or from the end when negative; its batch and its number within. */
static int locate_row(const column_object *self, PyObject *key, int64_t *batch, int64_t *row) {
  if (!PyIndex_Check(key)) {
    PyErr_Format(PyExc_TypeError, "rows are numbered: %.100s is no number", Py_TYPE(key)->tp_name);
    return -1;
  }
  Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError), rows = (Py_ssize_t)self->table->table.rows;
  if (index == -1 && PyErr_Occurred()) return -1;
  if (index < -rows || index >= rows) {
    PyErr_Format(PyExc_IndexError, "row %zd of a column of %zd rows", index, rows);
    return -1;
  }
  *row = index < 0 ? index + rows : index;
  *batch = batch_of(self->table, *row);
  *row -= self->table->starts[*batch];
  return 0;
}

static PyObject *column_item(PyObject *object, PyObject *key) {
  column_object *self = (column_object *)object;
  int64_t batch, row;
  if (PySlice_Check(key)) return slice_of(self, key);
  if (locate_row(self, key, &batch, &row) < 0) return NULL;
  return value_make(self->table->state, mmpy_column_field(self), mmpy_column_chunk(self, batch), row);
}

/* As CSV would write it. */
static PyObject *column_text(PyObject *object, PyObject *key) {
  column_object *self = (column_object *)object;
  int64_t batch, row;
  if (locate_row(self, key, &batch, &row) < 0) return NULL;
  const mm_column *chunk = mmpy_column_chunk(self, batch);
  if (chunk->type.id == MM_NULL || (chunk->valid && !(chunk->valid[row >> 6] >> (row & 63) & 1))) Py_RETURN_NONE;
  mm_buffer bytes = {0};
  mm_error error;
  PyObject *text = NULL;
  if (mm_column_text(chunk, row, &bytes, &error) < 0) raise_error(self->table->state, &error);
  else text = PyUnicode_DecodeUTF8((const char *)bytes.data, (Py_ssize_t)bytes.size, "backslashreplace");
  mm_buffer_free(&bytes);
  return text;
}

static PyObject *column_to_pylist(PyObject *object, PyObject *unused) {
  (void)unused;
  column_object *self = (column_object *)object;
  PyObject *list = PyList_New((Py_ssize_t)self->table->table.rows);
  Py_ssize_t at = 0;
  for (int64_t b = 0; b < chunks_of(self) && list; b++) {
    const mm_column *chunk = mmpy_column_chunk(self, b);
    for (int64_t i = 0; i < chunk->length && list; i++) {
      PyObject *value = value_make(self->table->state, mmpy_column_field(self), chunk, i);
      if (value) PyList_SET_ITEM(list, at++, value);
      if (!value || signals_check(at) < 0) Py_CLEAR(list);
    }
  }
  return list;
}

/* ---- Attributes ---- */

static PyObject *column_name(PyObject *object, void *closure) {
  (void)closure;
  const char *name = mmpy_column_field((column_object *)object)->name;
  return PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name), "replace");
}

static PyObject *column_type(PyObject *object, void *closure) {
  (void)closure;
  char text[128];
  return PyUnicode_FromString(mm_type_name(mmpy_column_field((column_object *)object)->type, text, sizeof text));
}

static PyObject *column_nullable(PyObject *object, void *closure) {
  (void)closure;
  return PyBool_FromLong(mmpy_column_field((column_object *)object)->nullable);
}

static PyObject *column_null_count(PyObject *object, void *closure) {
  (void)closure;
  return PyLong_FromLongLong(mmpy_column_nulls((column_object *)object));
}

static PyObject *column_chunks(PyObject *object, void *closure) {
  (void)closure;
  return PyLong_FromLongLong(chunks_of((column_object *)object));
}

static PyObject *column_nbytes(PyObject *object, void *closure) {
  (void)closure;
  const column_object *self = (column_object *)object;
  int64_t bytes = 0;
  for (int64_t i = 0; i < chunks_of(self); i++) bytes += mmpy_column_bytes(mmpy_column_chunk(self, i));
  return PyLong_FromLongLong(bytes);
}

/* ---- Arrow ---- */

static PyObject *column_arrow_schema(PyObject *object, PyObject *unused) {
  (void)unused;
  column_object *self = (column_object *)object;
  PyObject *table = slice_columns(self->table, &self->index, 1);
  PyObject *capsule =
      table ? capsule_of_schema(self->table->state, &((table_object *)table)->table.schema, true) : NULL;
  Py_XDECREF(table);
  return capsule;
}

static PyObject *column_arrow_stream(PyObject *object, PyObject *arguments, PyObject *keywords) {
  column_object *self = (column_object *)object;
  PyObject *table = slice_columns(self->table, &self->index, 1), *capsule = NULL;
  if (!table) return NULL;
  const mm_table *only = &((table_object *)table)->table;
  bool *is_long;
  if (requested_schema_parse(self->table->state, &only->schema, true, arguments, keywords, &is_long) == 0)
    capsule = capsule_of_table(self->table->state, only, true, is_long);
  Py_DECREF(table);
  return capsule;
}

static PyObject *column_arrow_array(PyObject *object, PyObject *arguments, PyObject *keywords) {
  column_object *self = (column_object *)object;
  PyObject *column = mmpy_column_combine(object, NULL), *capsules = NULL;
  if (!column) return NULL;
  const mm_table *table = &((column_object *)column)->table->table;
  bool *is_long;
  if (requested_schema_parse(self->table->state, &table->schema, true, arguments, keywords, &is_long) == 0) {
    capsules = capsules_of_batch(self->table->state, &table->schema, &table->batches[0], true, is_long);
    free(is_long);
  }
  Py_DECREF(column);
  return capsules;
}

/* ---- The type ---- */

static PyGetSetDef attributes[] = {{"name", column_name, NULL, "Name of the column.", NULL},
                                   {"type", column_type, NULL, "Type of the values: \"f64\", \"timestamp(us)\".", NULL},
                                   {"nullable", column_nullable, NULL, "Whether the column may hold nulls.", NULL},
                                   {"null_count", column_null_count, NULL, "Number of nulls.", NULL},
                                   {"chunks", column_chunks, NULL, "Number of chunks.", NULL},
                                   {"nbytes", column_nbytes, NULL, "Bytes of the values, including shared ones.", NULL},
                                   {0}};

static PyMethodDef methods[] = {
    {"to_pylist", column_to_pylist, METH_NOARGS,
     "to_pylist($self, /)\n--\n\nThe values as Python objects; None for null."},
    {"text", column_text, METH_O,
     "text($self, index, /)\n--\n\nThe value of a row as CSV would write it, without quotes; None for null."},
    {"data", mmpy_column_data, METH_NOARGS,
     "data($self, /)\n--\n\nThe values as one buffer, one byte each for bools. Values of nulls are undefined."},
    {"valid", mmpy_column_valid, METH_NOARGS,
     "valid($self, /)\n--\n\nOne byte per row, 1 if not null; None if there are no nulls."},
    {"combine", mmpy_column_combine, METH_NOARGS,
     "combine($self, /)\n--\n\nThe column as one chunk; copies if there are several."},
    {"__arrow_c_schema__", column_arrow_schema, METH_NOARGS,
     "__arrow_c_schema__($self, /)\n--\n\nThe type as a capsule."},
    {"__arrow_c_array__", MMPY_METHOD(column_arrow_array), METH_VARARGS | METH_KEYWORDS,
     "__arrow_c_array__($self, requested_schema=None)\n--\n\nThe values as one array: chunks are joined."},
    {"__arrow_c_stream__", MMPY_METHOD(column_arrow_stream), METH_VARARGS | METH_KEYWORDS,
     "__arrow_c_stream__($self, requested_schema=None)\n--\n\nThe chunks as a capsule, nothing copied. May be called "
     "again."},
    {"__dlpack__", MMPY_METHOD(mmpy_column_dlpack), METH_VARARGS | METH_KEYWORDS,
     "__dlpack__($self, /, *, stream=None, max_version=None, dl_device=None, copy=None)\n--\n\nThe values as a DLPack "
     "capsule."},
    {"__dlpack_device__", dlpack_device, METH_NOARGS, "__dlpack_device__($self, /)\n--\n\nMain memory: (1, 0)."},
    {0}};

static PyType_Slot slots[] = {{Py_tp_doc, "One column of one table: a list of chunks in Arrow layout."},
                              {Py_tp_dealloc, (void *)(uintptr_t)column_dealloc},
                              {Py_tp_traverse, (void *)(uintptr_t)column_traverse},
                              {Py_tp_getset, attributes},
                              {Py_tp_methods, methods},
                              {Py_tp_richcompare, (void *)(uintptr_t)mmpy_column_equals},
                              {Py_mp_length, (void *)(uintptr_t)column_length},
                              {Py_mp_subscript, (void *)(uintptr_t)column_item},
                              {0}};

static PyType_Spec spec = {.name = "moonmill._core.Column",
                           .basicsize = sizeof(column_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC
                                    | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

int mmpy_column_register(PyObject *module, module_state *state) {
  return mmpy_type_register(module, &spec, &state->column_type);
}
