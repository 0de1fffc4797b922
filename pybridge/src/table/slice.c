/* slice.c - parts of tables: some rows, some columns, one column, a copy.
 * SPDX-License-Identifier: MIT */
#include "column_bytes.h"
#include "errors.h"
#include "export/fields.h"
#include "table/table.h"
#include <string.h>

/* ---- Rows ---- */

/* What of `to`, made of `from`, has blocks of its own. */
static void count_batch(const mm_batch *to, const mm_batch *from, int64_t *copied, int64_t *shared) {
  for (int32_t c = 0; c < to->count; c++) {
    column_bytes made = mmpy_column_measure(&to->columns[c]), of = mmpy_column_measure(&from->columns[c]);
    for (int i = 0; i < COLUMN_PARTS; i++) *(made.block[i] == of.block[i] ? shared : copied) += made.size[i];
  }
}

PyObject *slice_rows(const table_object *self, int64_t start, int64_t length) {
  int64_t copied = 0, shared = 0;
  mm_table made = {0};
  mm_error error;
  int status = mm_schema_copy(&made.schema, &self->table.schema, &error);
  for (int64_t i = 0; i < self->table.count && status >= 0; i++) {
    const mm_batch *batch = &self->table.batches[i];
    int64_t from = start > self->starts[i] ? start - self->starts[i] : 0;
    int64_t to = start + length < self->starts[i + 1] ? start + length - self->starts[i] : batch->length;
    if (from >= to) continue;
    mm_batch piece = {0};
    status = mm_batch_slice(&piece, batch, from, to - from, &error);
    if (status >= 0) count_batch(&piece, batch, &copied, &shared);
    if (status >= 0) status = mm_table_append(&made, &piece, &error);
    else mm_batch_free(&piece);
  }
  if (status >= 0) return mmpy_table_wrap(self->state, &made, copied, shared);
  mm_table_free(&made);
  return raise_error(self->state, &error);
}

PyObject *mmpy_table_slice(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
  const table_object *self = (table_object *)object;
  if (count < 1 || count > 2) return PyErr_Format(PyExc_TypeError, "slice() takes a start, and perhaps a length");
  int64_t rows = self->table.rows, start = PyLong_AsLongLong(arguments[0]), length = rows;
  if (PyErr_Occurred()) return NULL;
  if (count == 2 && arguments[1] != Py_None) length = PyLong_AsLongLong(arguments[1]);
  if (PyErr_Occurred()) return NULL;
  if (start < 0 || length < 0) return PyErr_Format(PyExc_ValueError, "slice: start and length must not be negative");
  if (start > rows) start = rows;
  return slice_rows(self, start, length > rows - start ? rows - start : length);
}

/* ---- Columns ---- */

PyObject *slice_columns(const table_object *self, const int32_t *indices, int32_t count) {
  mm_table made = {0};
  mm_error error;
  int status = 0;
  int64_t shared = 0;
  for (int32_t c = 0; c < count && status >= 0; c++) {
    const mm_field *field = &self->table.schema.fields[indices[c]];
    status = mm_schema_add(&made.schema, field->name, field->type, field->nullable, &error);
  }
  for (int64_t i = 0; i < self->table.count && status >= 0; i++) {
    mm_batch batch = {0};
    status = mm_batch_resize(&batch, count, &error);
    batch.length = self->table.batches[i].length;
    for (int32_t c = 0; c < count && status >= 0; c++) {
      batch.columns[c] = self->table.batches[i].columns[indices[c]];
      mm_column_retain(&batch.columns[c]);
      shared += mmpy_column_bytes(&batch.columns[c]);
    }
    if (status >= 0) status = mm_table_append(&made, &batch, &error);
  }
  if (status >= 0) return mmpy_table_wrap(self->state, &made, 0, shared);
  mm_table_free(&made);
  return raise_error(self->state, &error);
}

/* KeyError, with a suggestion. */
static void raise_missing(const table_object *self, PyObject *name) {
  PyObject *names = fields_list(&self->table.schema, FIELD_NAMES);
  PyObject *module = names ? PyImport_ImportModule("moonmill.base.suggest") : NULL;
  PyObject *error = module ? PyObject_CallMethod(module, "missing", "sOO", "column", name, names) : NULL;
  if (error) PyErr_SetObject(PyExc_KeyError, error);
  Py_XDECREF(error);
  Py_XDECREF(module);
  Py_XDECREF(names);
}

/* The number of a column named by a str, or -1 and KeyError. */
static int32_t find_column(const table_object *self, PyObject *name) {
  Py_ssize_t size;
  const char *text = PyUnicode_AsUTF8AndSize(name, &size);
  if (!text && !PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return -1; /* half a surrogate pair names nothing */
  if (!text) PyErr_Clear();
  int32_t index = text && strlen(text) == (size_t)size ? mm_schema_find(&self->table.schema, text) : -1;
  if (index < 0) raise_missing(self, name);
  return index;
}

PyObject *mmpy_table_select(PyObject *object, PyObject *names) {
  table_object *self = (table_object *)object;
  if (PyUnicode_Check(names)) return PyErr_Format(PyExc_TypeError, "select: expected a list of names, not one str");
  PyObject *list = PySequence_Fast(names, "select: expected a list of names");
  if (!list) return NULL;
  Py_ssize_t count = PySequence_Fast_GET_SIZE(list);
  int32_t *indices = PyMem_Calloc((size_t)count + 1, sizeof *indices);
  PyObject *made = NULL;
  if (!indices) PyErr_NoMemory();
  for (Py_ssize_t i = 0; i < count && indices; i++) {
    indices[i] = find_column(self, PySequence_Fast_GET_ITEM(list, i));
    if (indices[i] < 0) goto done;
  }
  if (indices) made = slice_columns(self, indices, (int32_t)count);
done:
  PyMem_Free(indices);
  Py_DECREF(list);
  return made;
}

/* ---- A copy ---- */

int mmpy_column_copy(mm_column *to, const mm_column *from, mm_error *error) {
  mm_column nothing = {.type = from->type};
  const mm_column *parts[] = {from, &nothing}; /* joining with nothing copies */
  return mm_column_concat(to, parts, 2, error);
}

static int copy_batch(mm_batch *to, const mm_batch *from, int32_t *failed, mm_error *error) {
  int status = mm_batch_resize(to, from->count, error);
  to->length = from->length;
  for (int32_t c = 0; c < from->count && status >= 0; c++) {
    *failed = c;
    status = mmpy_column_copy(&to->columns[c], &from->columns[c], error);
  }
  return status;
}

/* Columns of foreign types can only be shared; NULL and an exception. */
static const mm_schema *copyable_schema(const table_object *self) {
  char text[128];
  const mm_schema *schema = &self->table.schema;
  for (int32_t i = 0; i < schema->count; i++) {
    const mm_field *field = &schema->fields[i];
    if (field->type.id != MM_OPAQUE) continue;
    raise_new(self->state, MM_EUSAGE, "nested-type", field->name, "leave it out, or copy what to_pyarrow() gives",
              "column \"%s\" is of type %s, which cannot be copied", field->name,
              mm_type_name(field->type, text, sizeof text));
    return NULL;
  }
  return schema;
}

PyObject *mmpy_table_copy(PyObject *object, PyObject *unused) {
  (void)unused;
  table_object *self = (table_object *)object;
  if (!copyable_schema(self)) return NULL;
  mm_table made = {0};
  mm_error error;
  int32_t failed = -1;
  int status;
  Py_BEGIN_ALLOW_THREADS
  status = mm_schema_copy(&made.schema, &self->table.schema, &error);
  for (int64_t i = 0; i < self->table.count && status >= 0; i++) {
    mm_batch batch = {0};
    status = copy_batch(&batch, &self->table.batches[i], &failed, &error);
    if (status >= 0) status = mm_table_append(&made, &batch, &error);
    else mm_batch_free(&batch);
  }
  Py_END_ALLOW_THREADS
  if (status >= 0) {
    int64_t bytes = mmpy_table_bytes(&made);
    return mmpy_table_wrap(self->state, &made, bytes, 0);
  }
  mm_table_free(&made);
  return failed < 0 ? raise_error(self->state, &error)
                    : raise_column(self->state, &error, self->table.schema.fields[failed].name);
}

/* ---- table[...] ---- */

static PyObject *rows_of(const table_object *self, PyObject *key) {
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(key, &start, &stop, &step) < 0) return NULL;
  Py_ssize_t length = PySlice_AdjustIndices((Py_ssize_t)self->table.rows, &start, &stop, step);
  if (step != 1) return PyErr_Format(PyExc_ValueError, "a table is sliced with a step of 1 only");
  return slice_rows(self, start, length);
}

/* A column by name or number; rows of a slice; several columns of a list. */
PyObject *mmpy_table_item(PyObject *object, PyObject *key) {
  table_object *self = (table_object *)object;
  if (PyUnicode_Check(key)) {
    int32_t index = find_column(self, key);
    return index < 0 ? NULL : mmpy_column_wrap(self, index);
  }
  if (PySlice_Check(key)) return rows_of(self, key);
  if (PyList_Check(key)) return mmpy_table_select(object, key);
  if (!PyIndex_Check(key))
    return PyErr_Format(PyExc_TypeError, "a column is named by a str or a number, not by %.100s",
                        Py_TYPE(key)->tp_name);
  Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError), count = self->table.schema.count;
  if (index == -1 && PyErr_Occurred()) return NULL;
  if (index < -count || index >= count)
    return PyErr_Format(PyExc_IndexError, "column %zd of a table of %zd columns", index, count);
  return mmpy_column_wrap(self, (int32_t)(index < 0 ? index + count : index));
}
