/* text_cast.c - casts of text to every type, and of every type to text. A text that is no value of the type fails its
 * lane.
 * SPDX-License-Identifier: MIT */
#include "kernels/text/text_kernel.h"
#include "kernels/time/date_part.h"
#include "text/datetime.h"
#include "text/float.h"
#include "text/integer.h"
#include "types/type.h"
#include <string.h>

/* ---- From text ---- */

/* `put` gives the value at `text` (chars, size) to out[i] and is not zero where that fails. */
#define FROM_TEXT(name, ctype, put)                                                                                    \
  static int name(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,                   \
                  const lane_vector *c) {                                                                              \
    (void)b, (void)c;                                                                                                  \
    const text_view *x = a->data;                                                                                      \
    ctype *out = dst->data;                                                                                            \
    int unit = lanes->types[lanes->instr->dst].unit, failed = 0;                                                       \
    (void)unit;                                                                                                        \
    EACH_WANTED(lanes, dst->valid, i) {                                                                                \
      const char *text = (const char *)x[i].bytes;                                                                     \
      int64_t size = x[i].size;                                                                                        \
      if (!(put)) continue;                                                                                            \
      lane_fail(lanes, i);                                                                                             \
      failed = 1;                                                                                                      \
    }                                                                                                                  \
    return failed;                                                                                                     \
  }

#define NARROW(s, ctype, wide, parse)                                                                                  \
  static inline int put_##s(const char *text, int64_t size, ctype *out) {                                              \
    wide value = 0;                                                                                                    \
    int status = parse(text, size, &value);                                                                            \
    *out = (ctype)value;                                                                                               \
    return status || *out != value;                                                                                    \
  }                                                                                                                    \
  FROM_TEXT(s##_of_text, ctype, put_##s(text, size, &out[i]))
NARROW(i8, int8_t, int64_t, parse_i64)
NARROW(i16, int16_t, int64_t, parse_i64)
NARROW(i32, int32_t, int64_t, parse_i64)
NARROW(u8, uint8_t, uint64_t, parse_u64)
NARROW(u16, uint16_t, uint64_t, parse_u64)
NARROW(u32, uint32_t, uint64_t, parse_u64)
FROM_TEXT(i64_of_text, int64_t, parse_i64(text, size, &out[i]))
FROM_TEXT(u64_of_text, uint64_t, parse_u64(text, size, &out[i]))
FROM_TEXT(f32_of_text, float, parse_f32(text, size, &out[i]))
FROM_TEXT(f64_of_text, double, parse_f64(text, size, &out[i]))
FROM_TEXT(date_of_text, int32_t, parse_date(text, size, &out[i]))
FROM_TEXT(timestamp_of_text, int64_t, parse_timestamp(text, size, unit, &out[i]))
FROM_TEXT(duration_of_text, int64_t, parse_duration(text, size, unit, &out[i]))

static inline int put_bool(const char *text, int64_t size, uint64_t *bits, int64_t i) {
  bool value = false;
  int status = parse_bool(text, size, &value);
  if (value) bit_set(bits, i);
  else bit_clear(bits, i);
  return status;
}
FROM_TEXT(bool_of_text, uint64_t, put_bool(text, size, out, i))

/* ---- To text ---- */

/* `put` writes the value x[i] to `at`, at most `most` bytes, and gives the length. */
#define TO_TEXT(name, ctype, most, put)                                                                                \
  static int name(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,                   \
                  const lane_vector *c) {                                                                              \
    (void)b, (void)c;                                                                                                  \
    const ctype *x = a->data;                                                                                          \
    text_view *out = clear_views(lanes, dst);                                                                          \
    int unit = lanes->types[lanes->instr->a].unit;                                                                     \
    (void)unit;                                                                                                        \
    uint8_t *next = lanes_allocate(lanes, (int64_t)lanes->n * (most));                                                 \
    if (!next) return MM_ENOMEM;                                                                                       \
    EACH_WANTED(lanes, dst->valid, i) {                                                                                \
      char *at = (char *)next;                                                                                         \
      int size = put;                                                                                                  \
      out[i] = (text_view){next, size};                                                                                \
      next += size;                                                                                                    \
    }                                                                                                                  \
    return 0;                                                                                                          \
  }

static inline int put_word(char *at, bool value) {
  memcpy(at, value ? "true" : "false", 5);
  return value ? 4 : 5;
}
TO_TEXT(text_of_bool, uint64_t, 5, put_word(at, bit_get(x, i)))
TO_TEXT(text_of_i8, int8_t, 20, format_i64(at, x[i]))
TO_TEXT(text_of_i16, int16_t, 20, format_i64(at, x[i]))
TO_TEXT(text_of_i32, int32_t, 20, format_i64(at, x[i]))
TO_TEXT(text_of_i64, int64_t, 20, format_i64(at, x[i]))
TO_TEXT(text_of_u8, uint8_t, 20, format_u64(at, x[i]))
TO_TEXT(text_of_u16, uint16_t, 20, format_u64(at, x[i]))
TO_TEXT(text_of_u32, uint32_t, 20, format_u64(at, x[i]))
TO_TEXT(text_of_u64, uint64_t, 20, format_u64(at, x[i]))
TO_TEXT(text_of_f32, float, 40, format_f32(at, x[i]))
TO_TEXT(text_of_f64, double, 40, format_f64(at, x[i]))
TO_TEXT(text_of_date, int32_t, 40, format_date(at, x[i]))
TO_TEXT(text_of_timestamp, int64_t, 40, format_timestamp(at, x[i], unit))
TO_TEXT(text_of_duration, int64_t, 40, format_duration(at, x[i], unit))

/* ---- Between utf8 and binary ---- */

static int same_bytes(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                      const lane_vector *c) {
  (void)b, (void)c;
  memcpy(dst->data, a->data, (size_t)lanes->n * sizeof(text_view));
  return 0;
}

static int utf8_of_binary(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                          const lane_vector *c) {
  same_bytes(lanes, dst, a, b, c);
  const text_view *x = a->data;
  int failed = 0;
  EACH_WANTED(lanes, dst->valid, i) {
    if (mm_utf8_invalid(x[i].bytes, x[i].size) < 0) continue;
    lane_fail(lanes, i);
    failed = 1;
  }
  return failed;
}

#define ROW(E, s, ctype, format) [MM_##E] = s##_of_text,
static const kernel_function from_text[MM_TYPE_COUNT] = {
    TYPE_NUMBERS(ROW)[MM_BOOL] = bool_of_text, [MM_DATE] = date_of_text, [MM_TIMESTAMP] = timestamp_of_text,
    [MM_DURATION] = duration_of_text};
#undef ROW
#define ROW(E, s, ctype, format) [MM_##E] = text_of_##s,
static const kernel_function to_text[MM_TYPE_COUNT] = {
    TYPE_NUMBERS(ROW)[MM_BOOL] = text_of_bool, [MM_DATE] = text_of_date, [MM_TIMESTAMP] = text_of_timestamp,
    [MM_DURATION] = text_of_duration};

kernel_function text_cast_kernels(const kernel_key *key) {
  int type = key->type, type2 = key->type2;
  if (key->mode != MM_CAST_CHECK && key->mode != MM_CAST_TRY) return NULL;
  if (type_is_text(type) && type_is_text(type2))
    return type == MM_UTF8 && type2 == MM_BINARY ? utf8_of_binary : same_bytes;
  if (type2 == MM_UTF8) return from_text[type];
  return type == MM_UTF8 ? to_text[type2] : date_cast_kernel(type, type2);
}
