/* from_columns.c - tables made of columns of all kinds, and of Arrow data.
 *
 * DESIGN. Columns come in chunks of their own lengths. A table's batches end wherever some column's chunk does; a chunk
 * that is cut there is shared, but for bits that do not start on a word.
 *
 * SPDX-License-Identifier: MIT */
#include "column_bytes.h"
#include "deferred_release.h"
#include "errors.h"
#include "import/buffer_protocol.h"
#include "import/chunked_column.h"
#include "table/table.h"
#include "text.h"
#include <string.h>

/* ---- One column ---- */

static int from_column(const column_object *source, chunked_column *to) {
  const mm_field *field = mmpy_column_field(source);
  to->type = field->type;
  to->nullable = field->nullable;
  for (int64_t i = 0; i < source->table->table.count; i++) {
    mm_column chunk = *mmpy_column_chunk(source, i);
    mm_column_retain(&chunk);
    to->shared += mmpy_column_bytes(&chunk);
    if (chunked_column_append(to, &chunk) < 0) return -1;
  }
  return 1;
}

static int refuse_column(const column_request *ask, PyObject *source) {
  char text[256];
  PyObject *dtype = NULL;
  bool typed = attribute_find(source, "dtype", &dtype) > 0;
  Py_XDECREF(dtype);
  PyErr_Clear();
  raise_new(ask->state, MM_EUSAGE, "unsupported-type", ask->name,
            typed ? "convert it with astype()" : "Arrow data, typed memory and lists of values are columns",
            "%s cannot be a column", typed_memory_describe(source, text, sizeof text));
  return -1;
}

/* dtype.kind of an array, or 0. */
static char kind_of(PyObject *source) {
  PyObject *dtype = NULL, *kind = NULL;
  if (attribute_find(source, "dtype", &dtype) > 0) attribute_find(dtype, "kind", &kind);
  const char *text = kind && PyUnicode_Check(kind) ? PyUnicode_AsUTF8(kind) : NULL;
  char letter = text ? *text : 0;
  Py_XDECREF(kind);
  Py_XDECREF(dtype);
  PyErr_Clear();
  return letter;
}

/* numpy takes any 32 bits for a character, and fails in its own ways when it makes text of one that is none. */
static void refuse_character(const column_request *ask) {
  if (!PyErr_ExceptionMatches(PyExc_UnicodeError) && !PyErr_ExceptionMatches(PyExc_SystemError)) return;
  PyErr_Clear();
  raise_new(ask->state, MM_EDATA, "bad-utf8", ask->name, NULL,
            "the array has a code point beyond U+10FFFF, which is no character");
}

/* Text of numpy, which is not laid out as ours, by the kind of its dtype: objects, fixed sizes, variable ones. */
static int from_text_array(const column_request *ask, PyObject *source, char kind, chunked_column *to) {
  if (!kind || !strchr("OUST", kind)) return 0;
  PyObject *items = PyObject_CallMethod(source, "tolist", NULL);
  if (!items && kind == 'U') refuse_character(ask);
  int status = !items ? -1 : PyList_Check(items) ? chunked_column_from_sequence(ask, items, kind == 'O', to) : 0;
  Py_XDECREF(items);
  return status;
}

/* What can become an array of numpy: pandas, torch on the CPU. */
static int from_array_maker(const column_request *ask, PyObject *source, chunked_column *to) {
  PyObject *method = NULL;
  int found = PyType_Check(source) ? 0 : attribute_find(source, "__array__", &method);
  PyObject *array = found > 0 ? PyObject_CallNoArgs(method) : NULL;
  int status = found != 0 && !array ? -1 : 0;
  if (array) status = chunked_column_from_buffer(ask, array, to);
  if (array && status == 0) status = from_text_array(ask, array, kind_of(array), to);
  Py_XDECREF(array);
  Py_XDECREF(method);
  return status;
}

/* What the caller says of a column: see table_of() in _core.pyi. */
static int from_known(const column_request *ask, PyObject *source, char form, chunked_column *to) {
  switch (form) {
  case 'b': return chunked_column_from_buffer(ask, source, to);
  case 'i': return chunked_column_from_sequence(ask, source, false, to);
  case 'a': return chunked_column_from_arrow(ask, source, to);
  default: return from_text_array(ask, source, form, to);
  }
}

static int from_unknown(const column_request *ask, PyObject *source, chunked_column *to) {
  if (PyList_Check(source) || PyTuple_Check(source) || PyRange_Check(source))
    return chunked_column_from_sequence(ask, source, false, to);
  int status = chunked_column_from_arrow(ask, source, to);
  if (status == 0) status = chunked_column_from_buffer(ask, source, to);
  if (status == 0) status = from_text_array(ask, source, kind_of(source), to);
  if (status == 0) status = from_array_maker(ask, source, to);
  return status == 0 ? refuse_column(ask, source) : status;
}

static int take_column(const column_request *ask, PyObject *source, char form, chunked_column *to) {
  if (PyObject_TypeCheck(source, (PyTypeObject *)ask->state->column_type))
    return from_column((column_object *)source, to);
  int status = form ? from_known(ask, source, form, to) : 0;
  return status == 0 ? from_unknown(ask, source, to) : status;
}

/* ---- Batches of all ---- */

/* How far a column has been laid out. */
typedef struct position {
  int64_t chunk, row; /* the next row, of that chunk */
} position;

/* Rows up to the next end of a chunk of any column. */
static int64_t next_length(const chunked_column *columns, position *at, Py_ssize_t count) {
  int64_t length = INT64_MAX;
  for (Py_ssize_t c = 0; c < count; c++) {
    while (at[c].row == columns[c].chunks[at[c].chunk].length) at[c] = (position){at[c].chunk + 1, 0};
    int64_t rest = columns[c].chunks[at[c].chunk].length - at[c].row;
    if (rest < length) length = rest;
  }
  return length;
}

static int lay_batch(const chunked_column *columns, position *at, Py_ssize_t count, int64_t length, mm_batch *to,
                     mm_error *error) {
  int status = mm_batch_resize(to, (int32_t)count, error);
  to->length = length;
  for (Py_ssize_t c = 0; c < count && status >= 0; c++) {
    status = mm_column_slice(&to->columns[c], &columns[c].chunks[at[c].chunk], at[c].row, length, error);
    at[c].row += length;
  }
  return status;
}

static int lay_out(const chunked_column *columns, position *at, Py_ssize_t count, mm_table *to, mm_error *error) {
  int status = 0;
  for (int64_t row = 0; count > 0 && row < columns[0].rows && status >= 0;) {
    mm_batch batch = {0};
    int64_t length = next_length(columns, at, count);
    status = lay_batch(columns, at, count, length, &batch, error);
    if (status >= 0) status = mm_table_append(to, &batch, error);
    else mm_batch_free(&batch);
    row += length;
  }
  return status;
}

/* `copied`: bytes that were copied before. */
static PyObject *table_of(module_state *state, const char *const *names, chunked_column *columns, Py_ssize_t count,
                          int64_t copied) {
  mm_table made = {0};
  mm_error error;
  int64_t shared = 0;
  int status = 0;
  position *at = PyMem_Calloc((size_t)count + 1, sizeof *at);
  if (!at) return PyErr_NoMemory();
  for (Py_ssize_t c = 0; c < count && status >= 0; c++) {
    status = mm_schema_add(&made.schema, names[c], columns[c].type, columns[c].nullable, &error);
    copied += columns[c].copied;
    shared += columns[c].shared;
  }
  if (status >= 0) status = lay_out(columns, at, count, &made, &error);
  PyMem_Free(at);
  if (status >= 0) return mmpy_table_wrap(state, &made, copied, shared);
  mm_table_free(&made);
  return raise_error(state, &error);
}

/* ---- from_columns ---- */

static int refuse_name(module_state *state, const char *name, const char *id, const char *what) {
  raise_new(state, MM_EUSAGE, id, name, NULL, "%s: \"%.100s\"", what, name);
  return -1;
}

/* The text of a name that is not in `taken` yet, to which it is added; NULL and an exception. */
static const char *name_of(module_state *state, PyObject *name, mm_schema *taken) {
  Py_ssize_t size;
  if (!PyUnicode_Check(name)) {
    PyErr_Format(PyExc_TypeError, "names of columns are str, not %.100s", Py_TYPE(name)->tp_name);
    return NULL;
  }
  const char *text = mmpy_utf8_of(state, name, &size, "the name of a column");
  int status = 0;
  if (text && strlen(text) != (size_t)size)
    status = refuse_name(state, text, "bad-name", "the name of a column has a zero byte");
  else if (text && mm_schema_find(taken, text) >= 0)
    status = refuse_name(state, text, "duplicate-column", "two columns have one name");
  mm_error error;
  if (text && status == 0 && mm_schema_add(taken, text, (mm_type){.id = MM_NULL}, true, &error) < 0) {
    raise_error(state, &error);
    status = -1;
  }
  return status < 0 ? NULL : text;
}

/* Tuples, and what is known of the columns. */
typedef struct column_set {
  PyObject *names, *sources;
  PyObject *missing; /* masks and None, or NULL */
  const char *forms; /* a letter for each, or NULL */
  bool nan_is_null;
  long long copied; /* bytes that were copied to make them */
} column_set;

/* `taken` (empty) gets the names. */
static int take_columns(module_state *state, const column_set *from, const char **texts, chunked_column *columns,
                        mm_schema *taken) {
  PyObject *names = from->names, *sources = from->sources, *missing = from->missing;
  Py_ssize_t count = PySequence_Fast_GET_SIZE(names);
  for (Py_ssize_t c = 0; c < count; c++) {
    texts[c] = name_of(state, PySequence_Fast_GET_ITEM(names, c), taken);
    if (!texts[c]) return -1;
    column_request ask = {state, texts[c], from->nan_is_null};
    char form = from->forms ? from->forms[c] : 0;
    if (take_column(&ask, PySequence_Fast_GET_ITEM(sources, c), form, &columns[c]) < 0) return -1;
    PyObject *mask = missing ? PyTuple_GET_ITEM(missing, c) : Py_None;
    if (mask != Py_None && chunked_column_mask(&ask, mask, &columns[c]) < 0) return -1;
    if (columns[c].rows == columns[0].rows) continue;
    raise_new(state, MM_EUSAGE, "unequal-lengths", texts[c], NULL,
              "column \"%.100s\" has %lld rows, column \"%.100s\" %lld", texts[0], (long long)columns[0].rows, texts[c],
              (long long)columns[c].rows);
    return -1;
  }
  return 0;
}

/* A table of columns. The caller's sequences are copied to tuples first: taking columns can run Python code. */
static PyObject *make_table(module_state *state, column_set *from, Py_ssize_t forms) {
  PyObject *table = NULL;
  deferred_release_drain();
  from->names = PySequence_Tuple(from->names);
  from->sources = from->names ? PySequence_Tuple(from->sources) : NULL;
  from->missing = from->sources && from->missing && from->missing != Py_None ? PySequence_Tuple(from->missing) : NULL;
  if (PyErr_Occurred()) Py_CLEAR(from->sources);
  Py_ssize_t count = from->sources ? PyTuple_GET_SIZE(from->names) : 0;
  const char **texts = PyMem_Calloc((size_t)count + 1, sizeof *texts);
  chunked_column *columns = PyMem_Calloc((size_t)count + 1, sizeof *columns);
  mm_schema taken = {0};
  if (!texts || !columns) PyErr_NoMemory();
  else if (from->sources && count != PyTuple_GET_SIZE(from->sources))
    PyErr_Format(PyExc_ValueError, "from_columns: %zd names for %zd columns", count, PyTuple_GET_SIZE(from->sources));
  else if (from->missing && count != PyTuple_GET_SIZE(from->missing))
    PyErr_Format(PyExc_ValueError, "from_columns: %zd masks for %zd columns", PyTuple_GET_SIZE(from->missing), count);
  else if (from->sources && from->forms && forms != count)
    PyErr_Format(PyExc_ValueError, "table_of: %zd forms for %zd columns", forms, count);
  else if (from->sources && take_columns(state, from, texts, columns, &taken) == 0)
    table = table_of(state, texts, columns, count, from->copied);
  for (Py_ssize_t c = 0; c < count && columns; c++) chunked_column_free(&columns[c]);
  mm_schema_free(&taken);
  PyMem_Free(columns);
  PyMem_Free(texts);
  Py_XDECREF(from->names);
  Py_XDECREF(from->sources);
  Py_XDECREF(from->missing);
  deferred_release_drain();
  return table;
}

PyObject *mmpy_table_from_columns(PyObject *type, PyObject *arguments, PyObject *keywords) {
  static char *keys[] = {"", "", "nan_is_null", "missing", "copied", NULL};
  column_set from = {0};
  int nan_is_null = 0;
  module_state *state = module_state_of(type);
  if (!state
      || !PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|$pOL:from_columns", keys, &from.names, &from.sources,
                                      &nan_is_null, &from.missing, &from.copied))
    return NULL;
  from.nan_is_null = nan_is_null;
  return make_table(state, &from, 0);
}

/* The same for the package, which knows what the columns are. */
static PyObject *core_table_of(PyObject *module, PyObject *arguments) {
  column_set from = {0};
  int nan_is_null = 0;
  Py_ssize_t forms = 0;
  if (!PyArg_ParseTuple(arguments, "OOs#|pOL:table_of", &from.names, &from.sources, &from.forms, &forms, &nan_is_null,
                        &from.missing, &from.copied))
    return NULL;
  from.nan_is_null = nan_is_null;
  return make_table(PyModule_GetState(module), &from, forms);
}

/* ---- from_arrow ---- */

static int check_names(module_state *state, const mm_schema *schema) {
  for (int32_t i = 0; i < schema->count; i++)
    if (mm_schema_find(schema, schema->fields[i].name) != i)
      return refuse_name(state, schema->fields[i].name, "duplicate-column", "two columns have one name");
  return 0;
}

static PyObject *share_columns(const table_object *source, int32_t first, int32_t count) {
  int32_t *indices = PyMem_Calloc((size_t)count + 1, sizeof *indices);
  for (int32_t i = 0; i < count && indices; i++) indices[i] = first + i;
  PyObject *table = indices ? slice_columns(source, indices, count) : PyErr_NoMemory();
  PyMem_Free(indices);
  return table;
}

PyObject *mmpy_table_from_arrow(PyObject *type, PyObject *source) {
  module_state *state = module_state_of(type);
  if (!state) return NULL;
  deferred_release_drain();
  if (PyObject_TypeCheck(source, (PyTypeObject *)state->table_type)) {
    const table_object *table = (table_object *)source;
    return share_columns(table, 0, table->table.schema.count);
  }
  mm_table made = {0};
  int64_t copied = 0, shared = 0;
  int status = arrow_take(state, source, &made, &copied, &shared);
  if (status == 0)
    PyErr_Format(PyExc_TypeError, "%.100s has neither __arrow_c_stream__ nor __arrow_c_array__",
                 Py_TYPE(source)->tp_name);
  if (status == 1 && check_names(state, &made.schema) == 0) return mmpy_table_wrap(state, &made, copied, shared);
  mm_table_free(&made);
  deferred_release_drain();
  return NULL;
}

/* ---- table_of ---- */

static PyMethodDef functions[] = {
    {"table_of", core_table_of, METH_VARARGS,
     "table_of($module, names, columns, forms, nan_is_null=False, missing=None, copied=0, /)\n--\n\n"
     "As Table.from_columns, where it is known what each column is: a letter of `forms` for each."},
    {0}};

int mmpy_from_columns_register(PyObject *module, module_state *state) {
  (void)state;
  return PyModule_AddFunctions(module, functions);
}
