/* equal.c - == of tables and of columns: the same names, types and values, whatever their memory layout.
 *
 * DESIGN. Null equals null, NaN equals NaN, -0 equals 0: what a test means when it compares results. Chunks of both
 * sides are walked together, in runs of rows that are in one chunk of each.
 *
 * SPDX-License-Identifier: MIT */
#include "errors.h"
#include "table/table.h"
#include <string.h>

/* A side of the comparison: how far it is. */
typedef struct side {
  const mm_table *table;
  int64_t batch, row; /* the next row: within its batch */
} side;

/* Rows of one chunk of each side. */
typedef struct span {
  const mm_column *a, *b;
  int64_t a_row, b_row, length;
} span;

static bool bit_at(const void *bits, int64_t i) { return !bits || (((const uint8_t *)bits)[i >> 3] >> (i & 7) & 1); }

/* Rows that are left in the side's batch; 0 at its end. */
static int64_t rows_left(side *at) {
  while (at->batch < at->table->count && at->row == at->table->batches[at->batch].length) {
    at->batch++;
    at->row = 0;
  }
  return at->batch < at->table->count ? at->table->batches[at->batch].length - at->row : 0;
}

static bool equal_f32(const void *a, const void *b) {
  float x, y;
  memcpy(&x, a, sizeof x);
  memcpy(&y, b, sizeof y);
  return x == y || (x != x && y != y);
}

static bool equal_f64(const void *a, const void *b) {
  double x, y;
  memcpy(&x, a, sizeof x);
  memcpy(&y, b, sizeof y);
  return x == y || (x != x && y != y);
}

static bool equal_text(const mm_column *a, int64_t i, const mm_column *b, int64_t j) {
  int32_t size = a->offsets[i + 1] - a->offsets[i];
  if (size != b->offsets[j + 1] - b->offsets[j]) return false;
  const char *x = a->data, *y = b->data;
  return size == 0 || memcmp(x + a->offsets[i], y + b->offsets[j], (size_t)size) == 0;
}

static bool equal_value(const mm_column *a, int64_t i, const mm_column *b, int64_t j, int64_t width) {
  const char *x = a->data, *y = b->data;
  switch (a->type.id) {
  case MM_NULL: return true;
  case MM_BOOL: return bit_at(x, i) == bit_at(y, j);
  case MM_F32: return equal_f32(x + i * width, y + j * width);
  case MM_F64: return equal_f64(x + i * width, y + j * width);
  case MM_UTF8:
  case MM_BINARY: return equal_text(a, i, b, j);
  default: return memcmp(x + i * width, y + j * width, (size_t)width) == 0;
  }
}

static bool equal_span(const span *rows) {
  const mm_column *a = rows->a, *b = rows->b;
  int64_t width = mm_type_width(a->type);
  bool nulls = a->valid || b->valid, is_float = a->type.id == MM_F32 || a->type.id == MM_F64;
  if (!nulls && width && !is_float) {
    const char *x = a->data, *y = b->data;
    return memcmp(x + rows->a_row * width, y + rows->b_row * width, (size_t)(rows->length * width)) == 0;
  }
  for (int64_t k = 0; k < rows->length; k++) {
    int64_t i = rows->a_row + k, j = rows->b_row + k;
    bool valid = bit_at(a->valid, i);
    if (valid != bit_at(b->valid, j) || (valid && !equal_value(a, i, b, j, width))) return false;
  }
  return true;
}

/* Column `i` of one table and column `j` of another of as many rows. */
static bool equal_columns(const mm_table *a, int32_t i, const mm_table *b, int32_t j) {
  side x = {.table = a}, y = {.table = b};
  for (;;) {
    int64_t left = rows_left(&x), right = rows_left(&y);
    if (!left || !right) return left == right;
    span rows = {.a = &a->batches[x.batch].columns[i],
                 .b = &b->batches[y.batch].columns[j],
                 .a_row = x.row,
                 .b_row = y.row,
                 .length = left < right ? left : right};
    if (!equal_span(&rows)) return false;
    x.row += rows.length;
    y.row += rows.length;
  }
}

static bool same_field(const mm_field *a, const mm_field *b) {
  return strcmp(a->name, b->name) == 0 && type_same(a->type, b->type);
}

static PyObject *answer_of(bool equal, int operation) { return PyBool_FromLong(equal == (operation == Py_EQ)); }

/* Values of foreign types are not known here: -1 and an exception. */
static int check_known(const table_object *table, int32_t index) {
  const mm_field *field = &table->table.schema.fields[index];
  if (field->type.id != MM_OPAQUE) return 0;
  raise_new(table->state, MM_EUSAGE, "opaque-column", field->name, "compare what to_pyarrow() gives",
            "values of a foreign type cannot be compared here");
  return -1;
}

PyObject *mmpy_table_equals(PyObject *object, PyObject *other, int operation) {
  table_object *self = (table_object *)object;
  if ((operation != Py_EQ && operation != Py_NE) || !PyObject_TypeCheck(other, (PyTypeObject *)self->state->table_type))
    Py_RETURN_NOTIMPLEMENTED;
  if (object == other) return answer_of(true, operation);
  const mm_table *a = &self->table, *b = &((table_object *)other)->table;
  bool equal = a->rows == b->rows && a->schema.count == b->schema.count;
  for (int32_t c = 0; c < a->schema.count && equal; c++) {
    equal = same_field(&a->schema.fields[c], &b->schema.fields[c]);
    if (equal && check_known(self, c) < 0) return NULL;
  }
  Py_BEGIN_ALLOW_THREADS
  for (int32_t c = 0; c < a->schema.count && equal; c++) equal = equal_columns(a, c, b, c);
  Py_END_ALLOW_THREADS
  return answer_of(equal, operation);
}

PyObject *mmpy_column_equals(PyObject *object, PyObject *other, int operation) {
  column_object *self = (column_object *)object;
  if ((operation != Py_EQ && operation != Py_NE)
      || !PyObject_TypeCheck(other, (PyTypeObject *)self->table->state->column_type))
    Py_RETURN_NOTIMPLEMENTED;
  column_object *another = (column_object *)other;
  const mm_table *a = &self->table->table, *b = &another->table->table;
  bool equal = a->rows == b->rows && same_field(mmpy_column_field(self), mmpy_column_field(another));
  if (equal && check_known(self->table, self->index) < 0) return NULL;
  Py_BEGIN_ALLOW_THREADS
  equal = equal && equal_columns(a, self->index, b, another->index);
  Py_END_ALLOW_THREADS
  return answer_of(equal, operation);
}
