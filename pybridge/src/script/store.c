/* store.c - the functions behind moonmill.store: columns of Python under names of the core's store, shared both ways.
 * SPDX-License-Identifier: MIT */
#include "column_bytes.h"
#include "deferred_release.h"
#include "errors.h"
#include "table/table.h"
#include "text.h"
#include <string.h>

/* The text of a name: a str without NUL; NULL and an exception. */
static const char *name_of(module_state *state, PyObject *name) {
  Py_ssize_t size;
  if (!PyUnicode_Check(name)) {
    PyErr_Format(PyExc_TypeError, "names in the store are str, not %.100s", Py_TYPE(name)->tp_name);
    return NULL;
  }
  const char *text = mmpy_utf8_of(state, name, &size, "a name in the store");
  if (text && strlen(text) == (size_t)size) return text;
  if (text) PyErr_SetString(PyExc_ValueError, "a name in the store has a NUL character");
  return NULL;
}

/* The text of a name that may be there: NULL where it can be none, without an exception. */
static const char *known_name(PyObject *name) {
  Py_ssize_t size;
  const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &size) : NULL;
  PyErr_Clear(); /* half a surrogate pair */
  return text && strlen(text) == (size_t)size ? text : NULL;
}

/* What was replaced or dropped may have been the last of something that only Python can free. */
static PyObject *answer_of(PyObject *result) {
  deferred_release_drain();
  return result;
}

static PyObject *store_put(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  module_state *state = PyModule_GetState(module);
  if (count != 2 || !PyObject_TypeCheck(arguments[1], (PyTypeObject *)state->column_type))
    return PyErr_Format(PyExc_TypeError, "store_put() takes a name and a Column");
  const char *name = name_of(state, arguments[0]);
  mm_column column = {0};
  int64_t copied = 0;
  mm_error error;
  if (!name || mmpy_column_join((column_object *)arguments[1], &column, &copied) < 0) return NULL;
  int status = mm_store_put(name, &column, &error);
  mm_column_release(&column);
  return answer_of(status < 0 ? raise_error(state, &error) : PyLong_FromLongLong(copied));
}

/* A table of one column, which is taken, also on failure. */
static PyObject *table_of(module_state *state, const char *name, mm_column *column) {
  mm_table made = {0};
  mm_batch batch = {0};
  mm_error error;
  int64_t shared = mmpy_column_bytes(column);
  int status = mm_schema_add(&made.schema, name, column->type, column->valid != NULL, &error);
  if (status >= 0) status = mm_batch_resize(&batch, 1, &error);
  if (status < 0) {
    mm_column_release(column);
    mm_table_free(&made);
    return raise_error(state, &error);
  }
  batch.length = column->length;
  batch.columns[0] = *column;
  if (mm_table_append(&made, &batch, &error) >= 0) return mmpy_table_wrap(state, &made, 0, shared);
  mm_table_free(&made);
  return raise_error(state, &error);
}

static PyObject *store_get(PyObject *module, PyObject *name) {
  module_state *state = PyModule_GetState(module);
  const char *text = known_name(name);
  mm_column column = {0};
  if (!text || !mm_store_get(text, &column)) Py_RETURN_NONE;
  PyObject *table = table_of(state, text, &column);
  PyObject *made = table ? mmpy_column_wrap((table_object *)table, 0) : NULL;
  Py_XDECREF(table);
  return made;
}

static PyObject *store_drop(PyObject *module, PyObject *name) {
  mm_error error;
  const char *text = known_name(name);
  int status = text ? mm_store_drop(text, &error) : 0;
  return answer_of(status < 0 ? raise_error(PyModule_GetState(module), &error) : PyBool_FromLong(status));
}

static PyObject *store_clear(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  mm_store_clear();
  return answer_of(Py_NewRef(Py_None));
}

/* (name, type, nullable, rows, bytes, users) */
static PyObject *describe_entry(const mm_store *snapshot, int64_t index) {
  mm_store_entry entry;
  char type[128];
  mm_store_at(snapshot, index, &entry);
  return Py_BuildValue("(ssNLLL)", entry.name, mm_type_name(entry.column->type, type, sizeof type),
                       PyBool_FromLong(entry.column->valid != NULL), (long long)entry.column->length,
                       (long long)entry.bytes, (long long)entry.users);
}

static PyObject *store_list(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  deferred_release_drain();
  mm_store *snapshot = mm_store_snapshot();
  int64_t count = mm_store_count(snapshot);
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (int64_t i = 0; i < count && list; i++) {
    PyObject *item = describe_entry(snapshot, i);
    if (item) PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    else Py_CLEAR(list);
  }
  mm_store_release(snapshot);
  return list;
}

static PyObject *store_bytes(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  return PyLong_FromLongLong(mm_store_bytes());
}

static PyMethodDef functions[] = {
    {"store_put", MMPY_METHOD(store_put), METH_FASTCALL,
     "store_put($module, name, column, /)\n--\n\nKeep a column; the bytes that joining its chunks copied."},
    {"store_get", store_get, METH_O, "store_get($module, name, /)\n--\n\nThe column of a name, shared; or None."},
    {"store_drop", store_drop, METH_O, "store_drop($module, name, /)\n--\n\nForget a name; whether it was there."},
    {"store_clear", store_clear, METH_NOARGS, "store_clear($module, /)\n--\n\nForget all names."},
    {"store_list", store_list, METH_NOARGS,
     "store_list($module, /)\n--\n\n(name, type, nullable, rows, bytes, users) of each, by name."},
    {"store_bytes", store_bytes, METH_NOARGS, "store_bytes($module, /)\n--\n\nBytes of all values."},
    {0}};

int mmpy_store_register(PyObject *module, module_state *state) {
  (void)state;
  return PyModule_AddFunctions(module, functions);
}
