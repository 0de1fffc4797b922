/* arrow_check.c - what the structs of the Arrow C data interface show of an array, checked before anything reads it.
 *
 * DESIGN. A nested column is passed on in its own layout, so the check follows its schema: at each level the rows that
 * the level above refers to must lie in the array, its buffers must be there, and offsets, sizes, type ids, run ends
 * and dictionary keys must stay within what they refer to. Only those rows are read: a slice of a large array costs
 * what the slice holds. How long a buffer really is cannot be seen.
 *
 * SPDX-License-Identifier: MIT */
#include "arrow/arrow_check.h"
#include "base/error.h"
#include <stdlib.h>
#include <string.h>

#define BAD(...) error_fail(error, MM_EDATA, "bad-arrow", __VA_ARGS__)

int arrow_check_rows(const struct ArrowArray *array, int64_t start, int64_t length, int64_t buffers, mm_error *error) {
  if (!array || !array->release) return BAD("the array is released or missing");
  if (array->length < 0 || array->offset < 0 || array->length > INT64_MAX / 16 || array->offset > INT64_MAX / 32
      || length > array->length - start)
    return BAD("%lld rows at offset %lld, but %lld are needed", (long long)array->length, (long long)array->offset,
               (long long)(start + length));
  bool spare = buffers == 0 && array->n_buffers == 1; /* validity of a null column, as some producers have it */
  if (buffers >= 0 && array->n_buffers != buffers && !spare)
    return BAD("expected %lld buffers, found %lld", (long long)buffers, (long long)array->n_buffers);
  if (array->n_buffers < 0 || (array->n_buffers > 0 && !array->buffers)) return BAD("the list of buffers is missing");
  if (buffers > 1 && length > 0 && !array->buffers[1]) return BAD("the buffer of values is missing");
  return 0;
}

int arrow_find_view(const struct ArrowArray *array, const uint8_t *at, const uint8_t **text, int32_t *length,
                    mm_error *error) {
  arrow_view v;
  memcpy(&v, at, sizeof v);
  *length = v.size;
  if (v.size < 0) return BAD("a text view has a negative length");
  *text = at + 4;
  if (v.size <= 12) return 0;
  int64_t buffers = array->n_buffers - 3, size;
  if (v.buffer < 0 || v.buffer >= buffers)
    return BAD("a text view names buffer %d of %lld", v.buffer, (long long)buffers);
  memcpy(&size, (const uint8_t *)array->buffers[array->n_buffers - 1] + v.buffer * (int64_t)8, 8);
  *text = array->buffers[2 + v.buffer];
  if (!*text || v.offset < 0 || v.offset + (int64_t)v.size > size) return BAD("a text view points outside its buffer");
  *text += v.offset;
  return 0;
}

int arrow_check_view_buffers(const struct ArrowArray *array, mm_error *error) {
  if (array->n_buffers < 3) return BAD("expected 3 buffers, found %lld", (long long)array->n_buffers);
  if (array->n_buffers > 3 && !array->buffers[array->n_buffers - 1])
    return BAD("the sizes of text buffers are missing");
  return 0;
}

/* ---- Nested columns ---- */

/* Rows [start, start + length) of an array, as its schema describes them. */
typedef struct level {
  const struct ArrowSchema *schema;
  const struct ArrowArray *array;
  int64_t start, length;
} level;

/* The rows that are referred to: [first, end). */
typedef struct extent {
  int64_t first, end;
} extent;

static int check_level(const level *at, mm_error *error);

/* Row i of the level, counted from the start of the buffers. */
static int64_t slot(const level *at, int64_t i) { return at->array->offset + at->start + i; }

static bool is_valid(const level *at, int64_t i) {
  if (at->array->null_count == 0 || at->array->n_buffers == 0 || !at->array->buffers[0]) return true;
  const uint8_t *bits = at->array->buffers[0];
  return bits[slot(at, i) / 8] >> (slot(at, i) % 8) & 1;
}

static int check_child(const level *at, int64_t child, extent rows, mm_error *error) {
  const level below = {at->schema->children[child], at->array->children[child], rows.first, rows.end - rows.first};
  return check_level(&below, error);
}

static int expect_children(const level *at, int64_t count, mm_error *error) {
  return at->schema->n_children == count ? 0
                                         : BAD("type \"%.32s\" must have %lld children, found %lld", at->schema->format,
                                               (long long)count, (long long)at->schema->n_children);
}

/* Offsets from the first row to one past the last. Those of no rows may be missing. */
static int check_offsets(const level *at, bool large, extent *within, mm_error *error) {
  *within = (extent){0, 0};
  if (at->length == 0) return 0;
  const uint8_t *offsets = (const uint8_t *)at->array->buffers[1] + slot(at, 0) * (large ? 8 : 4);
  int64_t before = arrow_offset(offsets, 0, large);
  within->first = before;
  bool good = before >= 0;
  for (int64_t i = 1; i <= at->length; i++) {
    int64_t next = arrow_offset(offsets, i, large);
    good &= next >= before;
    before = next;
  }
  within->end = before;
  return good ? 0 : BAD("offsets of a nested column are negative or go backwards");
}

static int check_text(const level *at, mm_error *error) {
  extent bytes;
  TRY(arrow_check_rows(at->array, at->start, at->length, 3, error));
  TRY(check_offsets(at, at->schema->format[0] == 'U' || at->schema->format[0] == 'Z', &bytes, error));
  return bytes.end > bytes.first && !at->array->buffers[2] ? BAD("the text buffer is missing") : 0;
}

static int check_views(const level *at, mm_error *error) {
  TRY(arrow_check_view_buffers(at->array, error));
  if (at->length > 0 && !at->array->buffers[1]) return BAD("the buffer of values is missing");
  const uint8_t *views = at->array->buffers[1], *text;
  int32_t length;
  for (int64_t i = 0; i < at->length; i++)
    if (is_valid(at, i))
      TRY(arrow_find_view(at->array, views + slot(at, i) * (int64_t)sizeof(arrow_view), &text, &length, error));
  return 0;
}

static int check_list(const level *at, mm_error *error) {
  extent items;
  TRY(arrow_check_rows(at->array, at->start, at->length, 2, error));
  TRY(expect_children(at, 1, error));
  const struct ArrowSchema *item = at->schema->children[0];
  if (at->schema->format[1] == 'm' && (strcmp(item->format, "+s") != 0 || item->n_children != 2))
    return BAD("the entries of a map must be a struct of two children");
  TRY(check_offsets(at, at->schema->format[1] == 'L', &items, error));
  return check_child(at, 0, items, error);
}

/* Lists with an offset and a size each, in any order. */
static int check_list_views(const level *at, mm_error *error) {
  TRY(arrow_check_rows(at->array, at->start, at->length, 3, error));
  TRY(expect_children(at, 1, error));
  if (at->length > 0 && !at->array->buffers[2]) return BAD("the buffer of list sizes is missing");
  bool large = at->schema->format[2] == 'L';
  const int64_t limit = at->array->children[0] ? at->array->children[0]->length : 0;
  extent items = {limit, 0};
  for (int64_t i = 0; i < at->length; i++) {
    if (!is_valid(at, i)) continue;
    int64_t offset = arrow_offset(at->array->buffers[1], slot(at, i), large);
    int64_t size = arrow_offset(at->array->buffers[2], slot(at, i), large);
    if (offset < 0 || size < 0 || offset > limit || size > limit - offset)
      return BAD("the list of row %lld lies outside its %lld values", (long long)i + 1, (long long)limit);
    if (offset < items.first) items.first = offset;
    if (offset + size > items.end) items.end = offset + size;
  }
  if (items.end < items.first) items = (extent){0, 0};
  return check_child(at, 0, items, error);
}

static int check_fixed_list(const level *at, mm_error *error) {
  char *rest;
  int64_t width = strtoll(at->schema->format + 3, &rest, 10), first, count;
  TRY(arrow_check_rows(at->array, at->start, at->length, 1, error));
  TRY(expect_children(at, 1, error));
  if (rest == at->schema->format + 3 || *rest || width < 0 || __builtin_mul_overflow(slot(at, 0), width, &first)
      || __builtin_mul_overflow(at->length, width, &count))
    return BAD("the size of a fixed-size list must be a number from 0 on, found \"%.32s\"", at->schema->format);
  return check_child(at, 0, (extent){first, first + count}, error);
}

static int check_struct(const level *at, mm_error *error) {
  TRY(arrow_check_rows(at->array, at->start, at->length, 1, error));
  for (int64_t i = 0; i < at->schema->n_children; i++)
    TRY(check_child(at, i, (extent){slot(at, 0), slot(at, at->length)}, error));
  return 0;
}

enum { TYPE_IDS = 128 };

/* The child of each type id that "+ud:0,5" names; -1: there is none. */
static int read_type_ids(const level *at, int children[TYPE_IDS], mm_error *error) {
  for (int i = 0; i < TYPE_IDS; i++) children[i] = -1;
  const char *text = at->schema->format + 4;
  int count = 0;
  while (*text) {
    char *rest;
    long id = strtol(text, &rest, 10);
    if (rest == text || id < 0 || id >= TYPE_IDS || children[id] >= 0 || (*rest && *rest != ','))
      return BAD("the type ids of union \"%.32s\" must be different numbers from 0 to 127", at->schema->format);
    children[id] = count++;
    text = *rest ? rest + 1 : rest;
  }
  return expect_children(at, count, error);
}

static int find_values(const level *at, const int children[TYPE_IDS], extent *values, mm_error *error) {
  const int8_t *ids = at->array->buffers[0];
  const uint8_t *offsets = at->array->n_buffers > 1 ? at->array->buffers[1] : NULL;
  for (int64_t i = 0; i < at->length; i++) {
    int8_t id = ids[slot(at, i)];
    int child = id >= 0 ? children[id] : -1;
    if (child < 0) return BAD("row %lld of a union has type id %d, which its type does not have", (long long)i + 1, id);
    if (!offsets) continue;
    int64_t row = arrow_offset(offsets, slot(at, i), false);
    if (row < 0) return BAD("row %lld of a union has offset %lld", (long long)i + 1, (long long)row);
    if (row < values[child].first) values[child].first = row;
    if (row >= values[child].end) values[child].end = row + 1;
  }
  return 0;
}

static int check_union(const level *at, mm_error *error) {
  bool dense = at->schema->format[2] == 'd';
  int children[TYPE_IDS];
  extent values[TYPE_IDS];
  TRY(arrow_check_rows(at->array, at->start, at->length, dense ? 2 : 1, error));
  TRY(read_type_ids(at, children, error));
  if (at->length > 0 && !at->array->buffers[0]) return BAD("the buffer of a union's type ids is missing");
  for (int i = 0; i < TYPE_IDS; i++)
    values[i] = dense ? (extent){INT64_MAX, 0} : (extent){slot(at, 0), slot(at, at->length)};
  TRY(find_values(at, children, values, error));
  for (int64_t i = 0; i < at->schema->n_children; i++)
    TRY(check_child(at, i, values[i].end < values[i].first ? (extent){0, 0} : values[i], error));
  return 0;
}

/* Value i of a buffer of integers of this format, as the keys of dictionaries and the ends of runs are. u64 beyond i64
 * turns negative. */
static int64_t integer_at(const void *values, int64_t i, char format) {
  switch (format) {
  case 'c': return ((const int8_t *)values)[i];
  case 'C': return ((const uint8_t *)values)[i];
#define READ(ctype)                                                                                                    \
  do {                                                                                                                 \
    ctype value;                                                                                                       \
    memcpy(&value, (const uint8_t *)values + i * (int64_t)sizeof value, sizeof value);                                 \
    return (int64_t)value;                                                                                             \
  } while (0)
  case 's': READ(int16_t);
  case 'S': READ(uint16_t);
  case 'i': READ(int32_t);
  case 'I': READ(uint32_t);
  case 'l': READ(int64_t);
  case 'L': READ(uint64_t);
#undef READ
  default: return -1;
  }
}

static bool is_one_of(const char *format, const char *letters) {
  return format[0] && !format[1] && strchr(letters, format[0]);
}

/* Runs end in ascending order, the last one with the last row or beyond. */
static int check_runs(const level *at, mm_error *error) {
  TRY(arrow_check_rows(at->array, at->start, at->length, 0, error));
  TRY(expect_children(at, 2, error));
  const struct ArrowArray *ends = at->array->children[0];
  const char *format = at->schema->children[0]->format;
  if (!is_one_of(format, "sil")) return BAD("run ends must be i16, i32 or i64, found \"%.32s\"", format);
  TRY(check_child(at, 0, (extent){0, ends ? ends->length : 0}, error));
  int64_t before = 0;
  bool good = true;
  for (int64_t i = 0; i < ends->length; i++) {
    int64_t end = integer_at(ends->buffers[1], ends->offset + i, *format);
    good &= end > before;
    before = end;
  }
  if (!good) return BAD("run ends must be positive and ascending");
  if (at->length > 0 && before < slot(at, at->length))
    return BAD("runs end after %lld rows, but %lld are needed", (long long)before, (long long)slot(at, at->length));
  return check_child(at, 1, (extent){0, ends->length}, error);
}

static int check_keys(const level *at, mm_error *error) {
  TRY(arrow_check_rows(at->array, at->start, at->length, 2, error));
  if (!is_one_of(at->schema->format, "cCsSiIlL"))
    return BAD("keys of a dictionary must be integers, found \"%.32s\"", at->schema->format);
  if (!at->array->dictionary) return BAD("the dictionary is missing");
  const level values = {at->schema->dictionary, at->array->dictionary, 0, at->array->dictionary->length};
  for (int64_t i = 0; i < at->length; i++) {
    if (!is_valid(at, i)) continue;
    int64_t key = integer_at(at->array->buffers[1], slot(at, i), *at->schema->format);
    if (key < 0 || key >= values.length) return BAD("row %lld points outside its dictionary", (long long)i + 1);
  }
  return check_level(&values, error);
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

static int check_layout(const level *at, mm_error *error) {
  const char *format = at->schema->format;
  if (at->schema->dictionary) return check_keys(at, error);
  if (strcmp(format, "n") == 0) return arrow_check_rows(at->array, at->start, at->length, 0, error);
  if (is_one_of(format, "uUzZ")) return check_text(at, error);
  if (begins(format, "vu") || begins(format, "vz")) return check_views(at, error);
  if (begins(format, "+w:")) return check_fixed_list(at, error);
  if (begins(format, "+ud:") || begins(format, "+us:")) return check_union(at, error);
  if (strcmp(format, "+l") == 0 || strcmp(format, "+L") == 0 || strcmp(format, "+m") == 0) return check_list(at, error);
  if (strcmp(format, "+vl") == 0 || strcmp(format, "+vL") == 0) return check_list_views(at, error);
  if (strcmp(format, "+s") == 0) return check_struct(at, error);
  if (strcmp(format, "+r") == 0) return check_runs(at, error);
  if (*format == '+') return BAD("the nested type \"%.32s\" is not known", format);
  return arrow_check_rows(at->array, at->start, at->length, strchr("bcCsSiIlLefgdwt", *format) ? 2 : -1, error);
}

static int check_level(const level *at, mm_error *error) {
  const struct ArrowArray *array = at->array;
  if (!array) return BAD("the array is released or missing"); /* here too: the analyzer cannot follow the next check */
  TRY(arrow_check_rows(array, at->start, at->length, -1, error));
  if (array->n_children != at->schema->n_children || !array->dictionary != !at->schema->dictionary)
    return BAD("the array's children are not those of its schema");
  if (array->n_children > 0 && !array->children) return BAD("the list of children is missing");
  bool has_validity = array->n_buffers > 0 && !begins(at->schema->format, "+u") && strcmp(at->schema->format, "n") != 0;
  if (has_validity && array->null_count > 0 && at->length > 0 && !array->buffers[0])
    return BAD("nulls are counted, but there is no validity buffer");
  return check_layout(at, error);
}

int arrow_check_nested(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t start, int64_t length,
                       mm_error *error) {
  const level top = {schema, array, start, length};
  return check_level(&top, error);
}
