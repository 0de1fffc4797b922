/* contiguous.c - contiguous columns: chunks concatenated, values and validity as buffers, DLPack.
 * SPDX-License-Identifier: MIT */
#include "column_bytes.h"
#include "errors.h"
#include "export/buffer.h"
#include "export/dlpack.h"
#include "table/table.h"
#include <string.h>

static int64_t chunks_of(const column_object *self) { return self->table->table.count; }

int64_t mmpy_column_nulls(const column_object *self) {
  int64_t nulls = 0;
  for (int64_t i = 0; i < chunks_of(self); i++) nulls += mm_column_null_count(mmpy_column_chunk(self, i));
  return nulls;
}

/* ---- Chunks joined ---- */

int mmpy_column_join(const column_object *self, mm_column *to, int64_t *copied) {
  int64_t count = chunks_of(self);
  const mm_column **parts = PyMem_Calloc((size_t)count + 1, sizeof *parts);
  if (!parts) {
    PyErr_NoMemory();
    return -1;
  }
  for (int64_t i = 0; i < count; i++) parts[i] = mmpy_column_chunk(self, i);
  mm_error error;
  int status;
  Py_BEGIN_ALLOW_THREADS
  if (count == 0) status = mm_column_make(to, mmpy_column_field(self)->type, 0, 0, false, &error);
  else status = mm_column_concat(to, parts, count, &error);
  Py_END_ALLOW_THREADS
  if (status >= 0 && copied && count > 0 && to->data_block != parts[0]->data_block) *copied += mmpy_column_bytes(to);
  PyMem_Free(parts);
  if (status >= 0) return 0;
  raise_column(self->table->state, &error, mmpy_column_field(self)->name);
  return -1;
}

PyObject *mmpy_column_combine(PyObject *object, PyObject *unused) {
  (void)unused;
  column_object *self = (column_object *)object;
  const mm_field *field = mmpy_column_field(self);
  module_state *state = self->table->state;
  mm_table made = {0};
  mm_batch batch = {0};
  mm_error error;
  int64_t copied = 0;
  if (mm_batch_resize(&batch, 1, &error) < 0) return raise_error(state, &error);
  if (mmpy_column_join(self, &batch.columns[0], &copied) < 0) {
    mm_batch_free(&batch);
    return NULL;
  }
  batch.length = batch.columns[0].length;
  self->table->copied += copied;
  int64_t shared = copied ? 0 : mmpy_column_bytes(&batch.columns[0]);
  int status = mm_schema_add(&made.schema, field->name, field->type, field->nullable, &error);
  if (status >= 0) status = mm_table_append(&made, &batch, &error);
  else mm_batch_free(&batch);
  if (status < 0) {
    mm_table_free(&made);
    return raise_error(state, &error);
  }
  PyObject *table = mmpy_table_wrap(state, &made, copied, shared);
  PyObject *column = table ? mmpy_column_wrap((table_object *)table, 0) : NULL;
  Py_XDECREF(table);
  return column;
}

/* ---- Buffers ---- */

/* One byte for each bit; `bits` NULL: all set. */
static void unpack_bits(uint8_t *bytes, const uint64_t *bits, int64_t n) {
  if (!bits) memset(bytes, 1, (size_t)n);
  for (int64_t i = 0; i < n && bits; i += 8) {
    uint64_t eight = (bits[i >> 6] >> (i & 63) & 0xff) * UINT64_C(0x0101010101010101) & UINT64_C(0x8040201008040201);
    eight = (eight + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7 & UINT64_C(0x0101010101010101);
    memcpy(bytes + i, &eight, (size_t)(n - i < 8 ? n - i : 8));
  }
}

/* A buffer of one byte a row: of validity, or of the values of a bool. */
static PyObject *bytes_of_bits(column_object *self, bool validity) {
  mm_error error;
  int64_t rows = self->table->table.rows;
  mm_block *block = mm_block_new(rows, &error);
  if (!block) return raise_error(self->table->state, &error);
  uint8_t *bytes = mm_block_data(block);
  Py_BEGIN_ALLOW_THREADS
  for (int64_t i = 0; i < chunks_of(self); i++) {
    const mm_column *chunk = mmpy_column_chunk(self, i);
    if (validity && chunk->type.id == MM_NULL) memset(bytes, 0, (size_t)chunk->length);
    else unpack_bits(bytes, validity ? chunk->valid : chunk->data, chunk->length);
    bytes += chunk->length;
  }
  Py_END_ALLOW_THREADS
  self->table->copied += rows;
  return mmpy_buffer_wrap(self->table->state, block, mm_block_data(block), (mm_type){.id = MM_BOOL}, rows, true);
}

/* The block of the only chunk, which the buffer then holds too: *sole when the table alone had it until now, which two
 * threads at once may not find. */
static mm_block *only_block(column_object *self, bool *sole) {
  mm_block *block = mmpy_column_chunk(self, 0)->data_block;
  Py_BEGIN_CRITICAL_SECTION(self->table);
  *sole = mm_block_sole(block);
  mm_block_retain(block);
  Py_END_CRITICAL_SECTION();
  return block;
}

/* *copied when the buffer's memory is its own. */
static PyObject *data_of(column_object *self, bool *copied) {
  const mm_field *field = mmpy_column_field(self);
  char text[128];
  *copied = field->type.id == MM_BOOL;
  if (field->type.id == MM_BOOL) return bytes_of_bits(self, false);
  if (!mmpy_buffer_width(field->type))
    return raise_new(self->table->state, MM_EUSAGE, "no-buffer", field->name,
                     "to_pylist() or an Arrow array shows them", "values of type %s do not form one buffer",
                     mm_type_name(field->type, text, sizeof text));
  if (chunks_of(self) == 1) {
    const mm_column *chunk = mmpy_column_chunk(self, 0);
    bool sole;
    mm_block *block = only_block(self, &sole);
    return mmpy_buffer_wrap(self->table->state, block, chunk->data, field->type, chunk->length, sole);
  }
  mm_column joined = {0};
  int64_t bytes = 0;
  if (mmpy_column_join(self, &joined, &bytes) < 0) return NULL;
  self->table->copied += bytes;
  mm_block *block = joined.data_block;
  const void *data = joined.data;
  int64_t length = joined.length;
  *copied = bytes > 0;
  mm_block_retain(block);
  mm_column_release(&joined);
  return mmpy_buffer_wrap(self->table->state, block, data, field->type, length, mm_block_sole(block));
}

PyObject *mmpy_column_data(PyObject *object, PyObject *unused) {
  (void)unused;
  bool copied;
  return data_of((column_object *)object, &copied);
}

PyObject *mmpy_column_valid(PyObject *object, PyObject *unused) {
  (void)unused;
  column_object *self = (column_object *)object;
  if (mmpy_column_nulls(self) > 0) return bytes_of_bits(self, true);
  Py_RETURN_NONE;
}

PyObject *mmpy_column_dlpack(PyObject *object, PyObject *arguments, PyObject *keywords) {
  column_object *self = (column_object *)object;
  const mm_field *field = mmpy_column_field(self);
  dlpack_request request;
  if (dlpack_parse(arguments, keywords, &request) < 0) return NULL;
  if (field->type.id == MM_BOOL || !mmpy_buffer_width(field->type))
    return PyErr_Format(PyExc_BufferError, "column \"%.100s\": its values are not in DLPack's layout: use data()",
                        field->name);
  if (mmpy_column_nulls(self) > 0)
    return PyErr_Format(PyExc_BufferError, "column \"%.100s\": DLPack has no nulls", field->name);
  if (request.no_copy && chunks_of(self) > 1)
    return PyErr_Format(PyExc_BufferError, "column \"%.100s\": %lld chunks cannot be joined without copying",
                        field->name, (long long)chunks_of(self));
  bool copied;
  PyObject *buffer = data_of(self, &copied);
  if (!buffer) return NULL;
  if (copied) request.copy = false; /* they are a copy by now */
  PyObject *capsule = mmpy_buffer_dlpack(buffer, &request);
  Py_DECREF(buffer);
  return capsule;
}
