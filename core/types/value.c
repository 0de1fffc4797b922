/* value.c - one value of a column: its order and its text.
 * SPDX-License-Identifier: MIT */
#include "types/value.h"
#include "base/error.h"
#include "text/datetime.h"
#include "text/float.h"
#include "text/integer.h"
#include "types/column.h"
#include "types/total_order.h"
#include "types/type.h"
#include <string.h>

/* ---- Order ---- */

static int compare_float(double a, double b) {
  int64_t x = total_order_f64(a), y = total_order_f64(b);
  return (x > y) - (x < y);
}

static int compare_text(const mm_column *a, int64_t i, const mm_column *b, int64_t j) {
  int32_t start_a = a->offsets[i], start_b = b->offsets[j];
  int64_t size_a = a->offsets[i + 1] - start_a, size_b = b->offsets[j + 1] - start_b;
  int64_t size = size_a < size_b ? size_a : size_b;
  int order = size ? memcmp((const uint8_t *)a->data + start_a, (const uint8_t *)b->data + start_b, (size_t)size) : 0;
  return order ? order : (size_a > size_b) - (size_a < size_b);
}

int column_compare(const mm_column *a, int64_t i, const mm_column *b, int64_t j) {
  bool null_a = column_is_null(a, i), null_b = column_is_null(b, j);
  if (null_a || null_b) return null_a - null_b;
  switch (type_storage(a->type.id)) {
#define X(ENUM, suffix, ctype, format)                                                                                 \
  case MM_##ENUM: {                                                                                                    \
    ctype x = ((const ctype *)a->data)[i], y = ((const ctype *)b->data)[j];                                            \
    return (x > y) - (x < y);                                                                                          \
  }
    TYPE_INTEGERS(X)
#undef X
  case MM_F32: return compare_float(((const float *)a->data)[i], ((const float *)b->data)[j]);
  case MM_F64: return compare_float(((const double *)a->data)[i], ((const double *)b->data)[j]);
  case MM_BOOL: return (int)bit_get(a->data, i) - (int)bit_get(b->data, j);
  case MM_UTF8: return compare_text(a, i, b, j);
  default: return 0;
  }
}

/* ---- Text ---- */

/* Values of at most 40 bytes. */
static int format(char *text, const mm_column *column, int64_t row) {
  switch (column->type.id) {
  case MM_DATE: return format_date(text, ((const int32_t *)column->data)[row]);
  case MM_DURATION: return format_duration(text, ((const int64_t *)column->data)[row], column->type.unit);
  case MM_TIMESTAMP: return format_timestamp(text, ((const int64_t *)column->data)[row], column->type.unit);
  case MM_F32: return format_f32(text, ((const float *)column->data)[row]);
  case MM_F64: return format_f64(text, ((const double *)column->data)[row]);
  case MM_U64: return format_u64(text, ((const uint64_t *)column->data)[row]);
  case MM_I8: return format_i64(text, ((const int8_t *)column->data)[row]);
  case MM_I16: return format_i64(text, ((const int16_t *)column->data)[row]);
  case MM_I32: return format_i64(text, ((const int32_t *)column->data)[row]);
  case MM_U8: return format_i64(text, ((const uint8_t *)column->data)[row]);
  case MM_U16: return format_i64(text, ((const uint16_t *)column->data)[row]);
  case MM_U32: return format_i64(text, ((const uint32_t *)column->data)[row]);
  default: return format_i64(text, ((const int64_t *)column->data)[row]);
  }
}

int mm_column_text(const mm_column *column, int64_t row, mm_buffer *text, mm_error *error) {
  if (column_is_null(column, row)) return 0;
  switch (column->type.id) {
  case MM_UTF8:
  case MM_BINARY: {
    int32_t start = column->offsets[row];
    return mm_buffer_append(text, (const uint8_t *)column->data + start, column->offsets[row + 1] - start, error);
  }
  case MM_BOOL: {
    bool value = bit_get(column->data, row);
    return mm_buffer_append(text, value ? "true" : "false", value ? 4 : 5, error);
  }
  case MM_OPAQUE:
    return error_fail(error, MM_EUSAGE, "opaque-column", "a value of a foreign type cannot be written as text");
  default:
    TRY(mm_buffer_reserve(text, 64, error));
    text->size += format((char *)text->data + text->size, column, row);
    return 0;
  }
}
