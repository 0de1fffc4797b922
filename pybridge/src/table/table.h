/* table.h - the Table and Column objects, for the files that fill them, show them and hand them out.
 *
 * DESIGN. A table is made once and never changes, but for what it counts. A column is a table and a number, so that
 * blocks are held by tables alone: a block with one holder belongs to its table.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

typedef struct table_object {
  PyObject_HEAD
  module_state *state;
  mm_table table;
  int64_t *starts; /* first row of each batch, and the number of rows */
  atomic_int_least64_t copied; /* grows when the table is handed out */
  int64_t shared;
  PyObject *notes; /* dict of what stats() shows besides, or NULL */
} table_object;

typedef struct column_object {
  PyObject_HEAD
  table_object *table; /* owned */
  int32_t index;
} column_object;

static inline const mm_field *mmpy_column_field(const column_object *column) {
  return &column->table->table.schema.fields[column->index];
}
static inline const mm_column *mmpy_column_chunk(const column_object *column, int64_t batch) {
  return &column->table->table.batches[batch].columns[column->index];
}

/* An object of the package's class of tables. Takes the table, also on failure. `copied`, `shared`: bytes on their way
 * in. */
PyObject *mmpy_table_wrap(module_state *state, mm_table *take, int64_t copied, int64_t shared);
/* The same in two steps: an empty one, and what fills it, which runs no Python code and on failure takes nothing. */
PyObject *mmpy_table_new(module_state *state);
int mmpy_table_fill(PyObject *table, mm_table *take, int64_t copied, int64_t shared);
/* The table of such an object, borrowed; NULL and TypeError when it is none. */
const mm_table *mmpy_table_of(module_state *state, PyObject *object);
/* Items of a dict that stats() shows beside its own. */
int mmpy_table_note(PyObject *table, PyObject *items);

/* Column `index` of a table, as an object of the package's class. */
PyObject *mmpy_column_wrap(table_object *table, int32_t index);
/* A table of some columns, by number, and of some rows, which must exist; shared. */
PyObject *slice_columns(const table_object *table, const int32_t *indices, int32_t count);
PyObject *slice_rows(const table_object *table, int64_t start, int64_t length);

/* All chunks as one. Shares where it can; `copied` grows by the bytes that were copied. -1 and an exception. */
int mmpy_column_join(const column_object *column, mm_column *to, int64_t *copied);
int64_t mmpy_column_nulls(const column_object *column);
/* Methods of Column. */
PyObject *mmpy_column_combine(PyObject *object, PyObject *unused);
PyObject *mmpy_column_data(PyObject *object, PyObject *unused);
PyObject *mmpy_column_valid(PyObject *object, PyObject *unused);
PyObject *mmpy_column_dlpack(PyObject *object, PyObject *arguments, PyObject *keywords);
/* A column that shares nothing with another one; `to` is empty. */
int mmpy_column_copy(mm_column *to, const mm_column *from, mm_error *error);

/* Class methods of Table. */
PyObject *mmpy_table_from_arrow(PyObject *type, PyObject *source);
PyObject *mmpy_table_from_columns(PyObject *type, PyObject *arguments, PyObject *keywords);
PyObject *mmpy_table_concat(PyObject *type, PyObject *tables);
/* Methods of Table. */
PyObject *mmpy_table_item(PyObject *object, PyObject *key);
PyObject *mmpy_table_slice(PyObject *object, PyObject *const *arguments, Py_ssize_t count);
PyObject *mmpy_table_select(PyObject *object, PyObject *names);
PyObject *mmpy_table_copy(PyObject *object, PyObject *unused);
PyObject *mmpy_table_equals(PyObject *object, PyObject *other, int operation);
PyObject *mmpy_column_equals(PyObject *object, PyObject *other, int operation);
