/* csv_field.c - from fields of text to values of a type. A null leaves 0.
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_field.h"
#include "base/bitmap.h"
#include "text/datetime.h"
#include "text/parse_inline.h"
#include "types/type.h"

#define CHARACTERS(field) (const char *)text + ((field).at & FIELD_AT), (field).size

/* ---- Loops, one a type ---- */

#define SIGNED(X) X(i8, int8_t) X(i16, int16_t) X(i32, int32_t) X(i64, int64_t)
#define UNSIGNED(X) X(u8, uint8_t) X(u16, uint16_t) X(u32, uint32_t) X(u64, uint64_t)

#define HEAD(suffix)                                                                                                   \
  static int64_t parse_##suffix##_fields(const uint8_t *text, const csv_field *fields, int64_t rows, mm_type type,     \
                                         void *out, int64_t at)
#define INTEGER_LOOP(suffix, ctype, wide, read)                                                                        \
  HEAD(suffix) {                                                                                                       \
    ctype *values = (ctype *)out + at;                                                                                 \
    (void)type;                                                                                                        \
    for (int64_t r = 0; r < rows; r++) {                                                                               \
      wide value = 0;                                                                                                  \
      if (!csv_field_is_null(fields[r]) && read(CHARACTERS(fields[r]), &value) != 0) return r;                         \
      if ((wide)(ctype)value != value) return r;                                                                       \
      values[r] = (ctype)value;                                                                                        \
    }                                                                                                                  \
    return rows;                                                                                                       \
  }
#define X(suffix, ctype) INTEGER_LOOP(suffix, ctype, int64_t, quick_parse_i64)
SIGNED(X)
#undef X
#define X(suffix, ctype) INTEGER_LOOP(suffix, ctype, uint64_t, parse_u64)
UNSIGNED(X)
#undef X

/* The others: no value is out of range. */
#define LOOP(suffix, ctype, read)                                                                                      \
  HEAD(suffix) {                                                                                                       \
    ctype *values = (ctype *)out + at;                                                                                 \
    (void)type;                                                                                                        \
    for (int64_t r = 0; r < rows; r++) {                                                                               \
      values[r] = 0;                                                                                                   \
      if (!csv_field_is_null(fields[r]) && read != 0) return r;                                                        \
    }                                                                                                                  \
    return rows;                                                                                                       \
  }
LOOP(f32, float, parse_f32(CHARACTERS(fields[r]), &values[r]))
LOOP(f64, double, quick_parse_f64(CHARACTERS(fields[r]), &values[r]))
LOOP(date, int32_t, parse_date(CHARACTERS(fields[r]), &values[r]))
LOOP(timestamp, int64_t, parse_timestamp(CHARACTERS(fields[r]), type.unit, &values[r]))
LOOP(duration, int64_t, parse_duration(CHARACTERS(fields[r]), type.unit, &values[r]))

HEAD(bool) {
  (void)type;
  for (int64_t r = 0; r < rows; r++) {
    bool value = false;
    if (!csv_field_is_null(fields[r]) && parse_bool(CHARACTERS(fields[r]), &value) != 0) return r;
    if (value) bit_set(out, at + r);
    else bit_clear(out, at + r);
  }
  return rows;
}

HEAD(null) {
  (void)text, (void)type, (void)out, (void)at;
  for (int64_t r = 0; r < rows; r++)
    if (!csv_field_is_null(fields[r])) return r;
  return rows;
}

csv_field_parser csv_field_parser_of(mm_type type) {
  switch (type.id) {
#define X(E, suffix, ctype, format)                                                                                    \
  case MM_##E: return parse_##suffix##_fields;
    TYPE_NUMBERS(X)
#undef X
  case MM_BOOL: return parse_bool_fields;
  case MM_DATE: return parse_date_fields;
  case MM_TIMESTAMP: return parse_timestamp_fields;
  case MM_DURATION: return parse_duration_fields;
  case MM_NULL: return parse_null_fields;
  default: return NULL;
  }
}
