/* table.c - the Table type: columns of equal length, the input and the result of a run.
 * SPDX-License-Identifier: MIT */
#include "table/table.h"
#include "column_bytes.h"
#include "deferred_release.h"
#include "errors.h"
#include "export/capsule.h"
#include "export/fields.h"
#include "export/requested_schema.h"
#include <stdlib.h>

/* ---- Making ---- */

static int64_t *starts_of(const mm_table *table) {
  int64_t *starts = PyMem_Calloc((size_t)table->count + 1, sizeof *starts);
  for (int64_t i = 0; i < table->count && starts; i++) starts[i + 1] = starts[i] + table->batches[i].length;
  if (!starts) PyErr_NoMemory();
  return starts;
}

PyObject *mmpy_table_new(module_state *state) {
  PyTypeObject *class = (PyTypeObject *)(state->table_class ? state->table_class : state->table_type);
  table_object *self = (table_object *)class->tp_alloc(class, 0);
  if (!self) return NULL;
  self->state = state;
  live_count(LIVE_tables, 1);
  return (PyObject *)self;
}

int mmpy_table_fill(PyObject *table, mm_table *take, int64_t copied, int64_t shared) {
  table_object *self = (table_object *)table;
  self->starts = starts_of(take);
  if (!self->starts) return -1;
  self->table = *take;
  *take = (mm_table){0};
  self->copied = copied;
  self->shared = shared;
  return 0;
}

PyObject *mmpy_table_wrap(module_state *state, mm_table *take, int64_t copied, int64_t shared) {
  PyObject *table = mmpy_table_new(state);
  if (table && mmpy_table_fill(table, take, copied, shared) == 0) return table;
  Py_XDECREF(table);
  mm_table_free(take);
  return NULL;
}

const mm_table *mmpy_table_of(module_state *state, PyObject *object) {
  if (PyObject_TypeCheck(object, (PyTypeObject *)state->table_type)) return &((table_object *)object)->table;
  PyErr_Format(PyExc_TypeError, "expected a Table, not %.100s", Py_TYPE(object)->tp_name);
  return NULL;
}

int mmpy_table_note(PyObject *table, PyObject *items) {
  table_object *self = (table_object *)table;
  if (!self->notes) self->notes = PyDict_New();
  return self->notes ? PyDict_Update(self->notes, items) : -1;
}

static int table_traverse(PyObject *object, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(((table_object *)object)->notes);
  return 0;
}

static int table_clear(PyObject *object) {
  Py_CLEAR(((table_object *)object)->notes);
  return 0;
}

/* Owners whose last reference this was are released immediately: mmap.close() and others depend on it. */
static void table_dealloc(PyObject *object) {
  table_object *self = (table_object *)object;
  PyTypeObject *type = Py_TYPE(object);
  foreign_owner *let_go = NULL;
  PyObject_GC_UnTrack(object);
  deferred_release_collect(&let_go);
  mm_table_free(&self->table);
  deferred_release_run(let_go);
  PyMem_Free(self->starts);
  Py_CLEAR(self->notes);
  live_count(LIVE_tables, -1);
  type->tp_free(object);
  Py_DECREF(type);
  deferred_release_drain();
}

/* ---- Attributes ---- */

static Py_ssize_t table_length(PyObject *object) { return (Py_ssize_t)((table_object *)object)->table.rows; }

static PyObject *table_fields(PyObject *object, void *what) {
  return fields_list(&((table_object *)object)->table.schema, (int)(intptr_t)what);
}

static PyObject *table_num_rows(PyObject *object, void *closure) {
  (void)closure;
  return PyLong_FromLongLong(((table_object *)object)->table.rows);
}

static PyObject *table_num_columns(PyObject *object, void *closure) {
  (void)closure;
  return PyLong_FromLong(((table_object *)object)->table.schema.count);
}

static PyObject *table_nbytes(PyObject *object, void *closure) {
  (void)closure;
  return PyLong_FromLongLong(mmpy_table_bytes(&((table_object *)object)->table));
}

static PyObject *table_copied(PyObject *object, void *closure) {
  (void)closure;
  return PyLong_FromLongLong(((table_object *)object)->copied);
}

static PyObject *table_shared(PyObject *object, void *closure) {
  (void)closure;
  return PyLong_FromLongLong(((table_object *)object)->shared);
}

static PyObject *table_stats(PyObject *object, PyObject *unused) {
  (void)unused;
  const table_object *self = (table_object *)object;
  PyObject *stats = Py_BuildValue("{sLsisLsLsL}", "rows", (long long)self->table.rows, "columns",
                                  (int)self->table.schema.count, "nbytes", (long long)mmpy_table_bytes(&self->table),
                                  "copied_bytes", (long long)self->copied, "shared_bytes", (long long)self->shared);
  if (stats && self->notes && PyDict_Update(stats, self->notes) < 0) Py_CLEAR(stats);
  return stats;
}

/* ---- Arrow ---- */

static PyObject *table_arrow_schema(PyObject *object, PyObject *unused) {
  (void)unused;
  const table_object *self = (table_object *)object;
  return capsule_of_schema(self->state, &self->table.schema, false);
}

static PyObject *table_arrow_stream(PyObject *object, PyObject *arguments, PyObject *keywords) {
  const table_object *self = (table_object *)object;
  bool *is_long;
  if (requested_schema_parse(self->state, &self->table.schema, false, arguments, keywords, &is_long) < 0) return NULL;
  return capsule_of_table(self->state, &self->table, false, is_long);
}

/* All batches as one. */
static int join_batches(table_object *self, mm_batch *to) {
  mm_error error;
  if (mm_batch_resize(to, self->table.schema.count, &error) < 0) {
    raise_error(self->state, &error);
    return -1;
  }
  to->length = self->table.rows;
  int64_t copied = 0;
  for (int32_t c = 0; c < to->count; c++) {
    column_object column = {.table = self, .index = c};
    if (mmpy_column_join(&column, &to->columns[c], &copied) < 0) return -1;
  }
  self->copied += copied;
  return 0;
}

static PyObject *table_arrow_array(PyObject *object, PyObject *arguments, PyObject *keywords) {
  table_object *self = (table_object *)object;
  bool *is_long;
  if (requested_schema_parse(self->state, &self->table.schema, false, arguments, keywords, &is_long) < 0) return NULL;
  mm_batch batch = {0};
  PyObject *capsules = NULL;
  if (join_batches(self, &batch) == 0)
    capsules = capsules_of_batch(self->state, &self->table.schema, &batch, false, is_long);
  mm_batch_free(&batch);
  free(is_long);
  return capsules;
}

/* ---- The type ---- */

static PyGetSetDef attributes[] = {
    {"num_rows", table_num_rows, NULL, "Number of rows.", NULL},
    {"num_columns", table_num_columns, NULL, "Number of columns.", NULL},
    {"column_names", table_fields, NULL, "Names of the columns.", (void *)FIELD_NAMES},
    {"types", table_fields, NULL, "Types of the columns: \"f64\", \"timestamp(us)\".", (void *)FIELD_TYPES},
    {"nullables", table_fields, NULL, "Whether the columns may hold nulls.", (void *)FIELD_NULLABLES},
    {"nbytes", table_nbytes, NULL, "Bytes of all values, including shared ones.", NULL},
    {"copied_bytes", table_copied, NULL, "Bytes that were copied to make this table, or to export it since.", NULL},
    {"shared_bytes", table_shared, NULL, "Bytes that this table shares.", NULL},
    {0}};

static PyMethodDef methods[] = {
    {"from_arrow", mmpy_table_from_arrow, METH_O | METH_CLASS,
     "from_arrow($type, source, /)\n--\n\nFrom an object with __arrow_c_stream__ or __arrow_c_array__."},
    {"from_columns", MMPY_METHOD(mmpy_table_from_columns), METH_VARARGS | METH_KEYWORDS | METH_CLASS,
     "from_columns($type, names, columns, /, *, nan_is_null=False, missing=None, copied=0)\n--\n\n"
     "From columns, Arrow arrays, typed memory and lists of equal length; `missing`: masks, or None, for each; "
     "`copied`: bytes that were copied to make them."},
    {"concat", mmpy_table_concat, METH_O | METH_CLASS,
     "concat($type, tables, /)\n--\n\nConcatenate tables of the same columns, shared."},
    {"slice", MMPY_METHOD(mmpy_table_slice), METH_FASTCALL,
     "slice($self, start, length=None, /)\n--\n\nSome rows, shared; all that follow without a length."},
    {"select", mmpy_table_select, METH_O, "select($self, names, /)\n--\n\nSome columns, shared."},
    {"copy", mmpy_table_copy, METH_NOARGS, "copy($self, /)\n--\n\nA table that shares no memory with this one."},
    {"stats", table_stats, METH_NOARGS,
     "stats($self, /)\n--\n\nRows, columns, bytes, and counters of the run that made the table."},
    {"__arrow_c_schema__", table_arrow_schema, METH_NOARGS,
     "__arrow_c_schema__($self, /)\n--\n\nThe schema as a capsule."},
    {"__arrow_c_stream__", MMPY_METHOD(table_arrow_stream), METH_VARARGS | METH_KEYWORDS,
     "__arrow_c_stream__($self, requested_schema=None)\n--\n\nThe batches as a capsule, nothing copied. May be called "
     "again."},
    {"__arrow_c_array__", MMPY_METHOD(table_arrow_array), METH_VARARGS | METH_KEYWORDS,
     "__arrow_c_array__($self, requested_schema=None)\n--\n\nThe rows as one struct array: several batches are "
     "joined."},
    {0}};

static PyType_Slot slots[] = {{Py_tp_doc, "Columns of equal length: the input and the result of a run."},
                              {Py_tp_dealloc, (void *)(uintptr_t)table_dealloc},
                              {Py_tp_traverse, (void *)(uintptr_t)table_traverse},
                              {Py_tp_clear, (void *)(uintptr_t)table_clear},
                              {Py_tp_getset, attributes},
                              {Py_tp_methods, methods},
                              {Py_tp_richcompare, (void *)(uintptr_t)mmpy_table_equals},
                              {Py_mp_length, (void *)(uintptr_t)table_length},
                              {Py_mp_subscript, (void *)(uintptr_t)mmpy_table_item},
                              {0}};

static PyType_Spec spec = {.name = "moonmill._core.Table",
                           .basicsize = sizeof(table_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC
                                    | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

int mmpy_table_register(PyObject *module, module_state *state) {
  return mmpy_type_register(module, &spec, &state->table_type);
}
