/* from_buffer.c - typed memory of Python objects as columns: shared if its layout allows, otherwise copied.
 *
 * DESIGN. Copied are: values that are not contiguous, of the other byte order or unaligned, bools (bits here), days of
 * numpy (8 bytes there) and units that are multiples of ours. NaT is null; NaN is null if the caller says so.
 *
 * SPDX-License-Identifier: MIT */
#include "errors.h"
#include "import/buffer_protocol.h"
#include "import/chunked_column.h"
#include "host.h"
#include <string.h>

/* ---- Copying ---- */

/* Items of one row of the innermost dimension. */
static uint8_t *copy_row(uint8_t *to, const uint8_t *from, Py_ssize_t count, Py_ssize_t stride, Py_ssize_t width) {
  switch (width) {
#define X(bytes)                                                                                                       \
  case bytes:                                                                                                          \
    for (Py_ssize_t i = 0; i < count; i++) memcpy(to + i * bytes, from + i * stride, bytes);                           \
    break;
    X(1) X(2) X(4) X(8)
#undef X
  }
  return to + count * width;
}

/* All items in the order of C. */
static uint8_t *copy_items(uint8_t *to, const uint8_t *from, const Py_buffer *view, int dimension) {
  Py_ssize_t count = view->ndim ? view->shape[dimension] : 1, stride = view->ndim ? view->strides[dimension] : 0;
  if (dimension >= view->ndim - 1) return copy_row(to, from, count, stride, view->itemsize);
  for (Py_ssize_t i = 0; i < count; i++) to = copy_items(to, from + i * stride, view, dimension + 1);
  return to;
}

/* Items of a block, which are aligned. */
static void swap_bytes(uint8_t *bytes, int64_t count, int64_t width) {
  switch (width) {
#define X(bits)                                                                                                        \
  case bits / 8:                                                                                                       \
    for (int64_t i = 0; i < count; i++)                                                                                \
      ((uint##bits##_t *)bytes)[i] = __builtin_bswap##bits(((uint##bits##_t *)bytes)[i]);                              \
    break;
    X(16) X(32) X(64)
#undef X
  }
}

/* A block of all items, one after the other, in the order of this machine. */
static mm_block *dense_values(const typed_memory *held, mm_error *error) {
  int64_t width = held->view.itemsize;
  mm_block *block = mm_block_new(held->length * width, error);
  if (!block || held->length == 0) return block;
  Py_BEGIN_ALLOW_THREADS
  if (PyBuffer_IsContiguous(&held->view, 'C'))
    memcpy(mm_block_data(block), held->view.buf, (size_t)(held->length * width));
  else copy_items(mm_block_data(block), held->view.buf, &held->view, 0);
  if (held->swapped) swap_bytes(mm_block_data(block), held->length, width);
  Py_END_ALLOW_THREADS
  return block;
}

/* ---- Bits ---- */

/* A byte of 0 or 1 for each of up to 64 values. */
typedef void (*flagger)(uint8_t *flags, const void *values, int64_t start, int64_t count);

/* Any byte but 0 is true. */
static void true_u8(uint8_t *flags, const void *values, int64_t start, int64_t count) {
  memcpy(flags, (const uint8_t *)values + start, (size_t)count);
  for (int i = 0; i < 64; i += 8) { /* flags has 64 bytes */
    uint64_t eight;
    memcpy(&eight, flags + i, 8);
    eight |= (eight & UINT64_C(0x7f7f7f7f7f7f7f7f)) + UINT64_C(0x7f7f7f7f7f7f7f7f);
    eight = eight >> 7 & UINT64_C(0x0101010101010101);
    memcpy(flags + i, &eight, 8);
  }
}

#define PRESENT(name, ctype, test)                                                                                     \
  static void name(uint8_t *flags, const void *values, int64_t start, int64_t count) {                                 \
    const ctype *v = (const ctype *)values + start;                                                                    \
    for (int64_t i = 0; i < count; i++) flags[i] = test;                                                               \
  }
PRESENT(present_f32, float, v[i] == v[i])
PRESENT(present_f64, double, v[i] == v[i])
PRESENT(present_i64, int64_t, v[i] != INT64_MIN)

/* Returns the number of set bits. */
static int64_t pack_bits(uint64_t *bits, const void *values, int64_t length, flagger flag) {
  int64_t set = 0;
  uint8_t flags[64] = {0};
  for (int64_t start = 0; start < length; start += 64) {
    int64_t count = length - start < 64 ? length - start : 64;
    flag(flags, values, start, count);
    set += mm_rows_pack(&bits[start / 64], flags, count);
  }
  return set;
}

/* ---- Kinds of values ---- */

static int pack_bools(mm_column *to, const uint8_t *bytes, mm_error *error) {
  to->data_block = mm_block_new((to->length + 63) / 64 * 8, error);
  if (!to->data_block) return MM_ENOMEM;
  to->data = mm_block_data(to->data_block);
  Py_BEGIN_ALLOW_THREADS
  pack_bits((uint64_t *)mm_block_data(to->data_block), bytes, to->length, true_u8);
  Py_END_ALLOW_THREADS
  return 0;
}

static int fail_range(mm_error *error, const char *what, int64_t row) {
  mm_host_fail(error, MM_EDATA, "out-of-range", "a value does not fit %s", what);
  error->row = row;
  return MM_EDATA;
}

/* Units that are multiples of ours; NaT stays. */
static int scale_units(int64_t *values, int64_t count, int64_t factor, mm_error *error) {
  for (int64_t i = 0; i < count && factor != 1; i++)
    if (values[i] != INT64_MIN && __builtin_mul_overflow(values[i], factor, &values[i]))
      return fail_range(error, "64 bits in its unit", i);
  return 0;
}

/* Days of 8 bytes as days of 4; NaT becomes 0, under a null. */
static int narrow_days(mm_column *to, const int64_t *days, mm_error *error) {
  mm_block *block = mm_block_new(to->length * 4, error);
  if (!block) return MM_ENOMEM;
  int32_t *made = (int32_t *)mm_block_data(block);
  to->data_block = block;
  to->data = made;
  for (int64_t i = 0; i < to->length; i++) {
    made[i] = days[i] == INT64_MIN ? 0 : (int32_t)days[i];
    if (days[i] != INT64_MIN && made[i] != days[i]) return fail_range(error, "a date", i);
  }
  return 0;
}

/* ---- Nulls ---- */

/* Validity of values of which some mean null; none when there are no such values. */
static int find_nulls(mm_column *to, const void *values, flagger present, mm_error *error) {
  mm_block *block = mm_block_new((to->length + 63) / 64 * 8, error);
  if (!block) return MM_ENOMEM;
  uint64_t *bits = (uint64_t *)mm_block_data(block);
  int64_t count;
  Py_BEGIN_ALLOW_THREADS
  count = pack_bits(bits, values, to->length, present);
  Py_END_ALLOW_THREADS
  if (count < to->length) {
    to->valid = bits;
    to->valid_block = block;
  } else {
    mm_block_release(block);
  }
  return 0;
}

static flagger presence_of(mm_type type, bool nan_is_null) {
  if (type.id == MM_TIMESTAMP || type.id == MM_DURATION || type.id == MM_DATE) return present_i64;
  if (!nan_is_null) return NULL;
  return type.id == MM_F64 ? present_f64 : type.id == MM_F32 ? present_f32 : NULL;
}

/* ---- Columns ---- */

/* From items of ours, one after the other, in a block that is taken. */
static int fill_copied(mm_column *to, mm_block *take, const typed_memory *held, bool nan_is_null, mm_error *error) {
  flagger present = presence_of(held->type, nan_is_null);
  uint8_t *items = mm_block_data(take);
  int status = held->view.itemsize == 8 ? scale_units((int64_t *)items, to->length, held->factor, error) : 0;
  if (status >= 0 && present) status = find_nulls(to, items, present, error);
  if (status >= 0 && held->type.id == MM_BOOL) status = pack_bools(to, items, error);
  if (status >= 0 && held->type.id == MM_DATE) status = narrow_days(to, (const int64_t *)items, error);
  if (to->data_block || status < 0) {
    mm_block_release(take);
  } else {
    to->data_block = take;
    to->data = items;
  }
  return status;
}

static int copy_column(const column_request *ask, const typed_memory *held, mm_column *to) {
  mm_error error;
  bool packed = held->type.id == MM_BOOL && PyBuffer_IsContiguous(&held->view, 'C');
  mm_block *block = packed ? NULL : dense_values(held, &error);
  int status = packed  ? pack_bools(to, held->view.buf, &error)
               : block ? fill_copied(to, block, held, ask->nan_is_null, &error)
                       : MM_ENOMEM;
  if (status >= 0) return 0;
  raise_column(ask->state, &error, ask->name);
  return -1;
}

static int share_column(const column_request *ask, typed_memory *held, mm_column *to) {
  flagger present = presence_of(held->type, ask->nan_is_null);
  mm_error error;
  to->data = held->view.buf;
  if (present && find_nulls(to, to->data, present, &error) < 0) {
    raise_error(ask->state, &error);
    return -1;
  }
  borrowed_buffer borrow = {.type = held->type, .length = held->length};
  view_move(&borrow.view, &held->view);
  to->data_block = borrowed_buffer_block(ask->state, &borrow);
  return to->data_block ? 0 : -1;
}

int chunked_column_from_buffer(const column_request *ask, PyObject *source, chunked_column *to) {
  typed_memory held;
  int status = typed_memory_open(ask->state, ask->name, source, false, &held);
  if (status != 1) return status;
  mm_column column = {.type = held.type, .length = held.length};
  to->type = held.type;
  to->nullable = presence_of(held.type, ask->nan_is_null) != NULL;
  bool shared = typed_memory_plain(&held) && held.type.id != MM_BOOL;
  status = shared ? share_column(ask, &held, &column) : copy_column(ask, &held, &column);
  typed_memory_close(&held);
  if (status < 0) {
    mm_column_release(&column);
    return -1;
  }
  int64_t bits = column.valid ? (column.length + 7) / 8 : 0, width = mm_type_width(column.type);
  int64_t bytes = width ? column.length * width : (column.length + 7) / 8;
  to->copied += bits + (shared ? 0 : bytes);
  to->shared += shared ? bytes : 0;
  return chunked_column_append(to, &column) < 0 ? -1 : 1;
}
