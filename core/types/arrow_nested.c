/* arrow_nested.c - what the C data interface shows of nested and other foreign columns, checked before they pass through.
 *
 * DESIGN. How long a buffer really is cannot be seen. What can: offsets, sizes, keys and ends of runs against the lengths
 * of the children they point into. Only the rows that are taken are looked at, and of a child only those that they
 * reach, so that a large array taken in slices is looked at once. Null rows may hold anything.
 *
 * SPDX-License-Identifier: MIT */
#include "types/arrow.h"
#include <stdlib.h>

/* The column that is looked at, for messages. */
typedef struct place {
  const char *name;
  mm_error *error;
} place;

/* Rows start .. start + length - 1 of an array, its own offset not counted. */
typedef struct rows {
  int64_t start, length;
} rows;

#define BAD(at, ...) mm_fail((at)->error, MM_EDATA, "bad-arrow", __VA_ARGS__)

static int check(const place *at, const struct ArrowSchema *schema, const struct ArrowArray *array, rows taken);

static bool is_valid(const struct ArrowArray *array, int64_t row) {
  const uint8_t *bits = array->null_count != 0 && array->n_buffers > 0 ? array->buffers[0] : NULL;
  row += array->offset;
  return !bits || (bits[row >> 3] >> (row & 7) & 1);
}

/* Item `i` of a buffer of whole numbers of `width` bytes. */
static int64_t number_at(const void *buffer, int64_t i, int width) {
  const uint8_t *from = (const uint8_t *)buffer + i * width;
  int8_t x1;
  int16_t x2;
  int32_t x4;
  int64_t x8;
  switch (width) {
  case 1: memcpy(&x1, from, 1); return x1;
  case 2: memcpy(&x2, from, 2); return x2;
  case 4: memcpy(&x4, from, 4); return x4;
  default: memcpy(&x8, from, 8); return x8;
  }
}

static int need_rows(const place *at, const struct ArrowArray *child, int64_t most) {
  if (most <= child->length) return 0;
  return BAD(at, "column \"%.100s\": %lld rows are pointed to, and a child has %lld", at->name, (long long)most,
             (long long)child->length);
}

/* ---- Offsets ---- */

/* Offsets of `width` bytes; *reached: the rows of the child between the first and the last. */
static int check_offsets(const place *at, const struct ArrowArray *array, int width, rows taken, rows *reached) {
  *reached = (rows){0};
  if (taken.length == 0) return 0;
  const void *offsets = array->n_buffers > 1 ? array->buffers[1] : NULL;
  if (!offsets) return BAD(at, "column \"%.100s\": the buffer of offsets is missing", at->name);
  int64_t first = number_at(offsets, array->offset + taken.start, width), before = first;
  bool good = first >= 0;
  for (int64_t i = 1; i <= taken.length; i++) {
    int64_t next = number_at(offsets, array->offset + taken.start + i, width);
    good &= next >= before;
    before = next;
  }
  if (!good) return BAD(at, "column \"%.100s\": offsets are negative or go backwards", at->name);
  *reached = (rows){first, before - first};
  return 0;
}

static int check_list(const place *at, const struct ArrowSchema *schema, const struct ArrowArray *array, int width,
                      rows taken) {
  rows reached;
  TRY(check_offsets(at, array, width, taken, &reached));
  TRY(need_rows(at, array->children[0], reached.start + reached.length));
  return check(at, schema->children[0], array->children[0], reached);
}

static int check_list_view(const place *at, const struct ArrowSchema *schema, const struct ArrowArray *array, int width,
                           rows taken) {
  const struct ArrowArray *child = array->children[0];
  const void *offsets = array->n_buffers > 2 ? array->buffers[1] : NULL, *sizes = offsets ? array->buffers[2] : NULL;
  if (taken.length > 0 && !sizes)
    return BAD(at, "column \"%.100s\": the buffers of offsets and sizes are missing", at->name);
  for (int64_t i = 0; i < taken.length; i++) {
    int64_t row = taken.start + i;
    if (!is_valid(array, row)) continue;
    int64_t offset = number_at(offsets, array->offset + row, width);
    int64_t size = number_at(sizes, array->offset + row, width);
    if (offset < 0 || size < 0 || offset > child->length || size > child->length - offset)
      return BAD(at, "column \"%.100s\": the list of row %lld lies outside of its child", at->name, (long long)row + 1);
  }
  return check(at, schema->children[0], child, (rows){0, taken.length > 0 ? child->length : 0});
}

/* ---- Unions ---- */

/* The child of a type id, by the list behind "+ud:" or "+us:"; -1: none. */
static int64_t child_of(const char *ids, int64_t id) {
  int64_t child = 0;
  for (const char *next = ids; *next; child++) {
    char *end;
    long known = strtol(next, &end, 10);
    if (end == next) return -1;
    if (known == id) return child;
    next = *end == ',' ? end + 1 : end;
  }
  return -1;
}

static int check_union(const place *at, const struct ArrowSchema *schema, const struct ArrowArray *array, rows taken) {
  bool dense = schema->format[2] == 'd';
  const char *ids = schema->format + 4;
  if (taken.length > 0 && (array->n_buffers < (dense ? 2 : 1) || !array->buffers[0] || (dense && !array->buffers[1])))
    return BAD(at, "column \"%.100s\": a buffer of the union is missing", at->name);
  for (int64_t i = 0; i < taken.length; i++) {
    int64_t row = array->offset + taken.start + i, id = number_at(array->buffers[0], row, 1);
    int64_t child = child_of(ids, id);
    if (child < 0 || child >= array->n_children)
      return BAD(at, "column \"%.100s\": row %lld of a union is of type %lld, which it has not", at->name,
                 (long long)(taken.start + i) + 1, (long long)id);
    int64_t offset = dense ? number_at(array->buffers[1], row, 4) : 0;
    if (dense && (offset < 0 || offset >= array->children[child]->length))
      return BAD(at, "column \"%.100s\": row %lld of a union lies outside of its child", at->name,
                 (long long)(taken.start + i) + 1);
  }
  for (int64_t c = 0; c < array->n_children; c++) {
    const struct ArrowArray *child = array->children[c];
    rows reached =
        dense ? (rows){0, taken.length > 0 ? child->length : 0} : (rows){array->offset + taken.start, taken.length};
    TRY(need_rows(at, child, reached.start + reached.length));
    TRY(check(at, schema->children[c], child, reached));
  }
  return 0;
}

/* ---- Runs, keys, texts ---- */

static int width_of(const char *format) {
  switch (*format) {
  case 'c':
  case 'C': return 1;
  case 's':
  case 'S': return 2;
  case 'i':
  case 'I': return 4;
  case 'l':
  case 'L': return 8;
  default: return 0;
  }
}

/* Children: the ends of runs, and a value for each. */
static int check_runs(const place *at, const struct ArrowSchema *schema, const struct ArrowArray *array, rows taken) {
  if (array->n_children != 2) return BAD(at, "column \"%.100s\": runs have two children", at->name);
  const struct ArrowArray *ends = array->children[0], *values = array->children[1];
  int width = width_of(schema->children[0]->format);
  if (width < 2) return BAD(at, "column \"%.100s\": ends of runs are not whole numbers", at->name);
  if (taken.length == 0) return 0;
  if (ends->length == 0 || ends->n_buffers < 2 || !ends->buffers[1])
    return BAD(at, "column \"%.100s\": the ends of its runs are missing", at->name);
  int64_t before = 0;
  for (int64_t i = 0; i < ends->length; i++) {
    int64_t next = number_at(ends->buffers[1], ends->offset + i, width);
    if (next <= before) return BAD(at, "column \"%.100s\": ends of runs do not ascend", at->name);
    before = next;
  }
  if (before < array->offset + taken.start + taken.length)
    return BAD(at, "column \"%.100s\": its runs end at row %lld", at->name, (long long)before);
  TRY(need_rows(at, values, ends->length));
  return check(at, schema->children[1], values, (rows){0, ends->length});
}

static int check_keys(const place *at, const struct ArrowSchema *schema, const struct ArrowArray *array, rows taken) {
  int width = width_of(schema->format);
  const void *keys = array->n_buffers > 1 ? array->buffers[1] : NULL;
  if (width == 0 || (taken.length > 0 && !keys))
    return BAD(at, "column \"%.100s\": the keys of its dictionary are missing", at->name);
  for (int64_t i = 0; i < taken.length; i++) {
    int64_t row = taken.start + i, key = is_valid(array, row) ? number_at(keys, array->offset + row, width) : -1;
    bool is_unsigned = *schema->format < 'a';
    if (is_unsigned && width < 8) key &= (INT64_C(1) << 8 * width) - 1;
    if (is_valid(array, row) && (key < 0 || key >= array->dictionary->length))
      return BAD(at, "column \"%.100s\": row %lld points outside its dictionary", at->name, (long long)row + 1);
  }
  return check(at, schema->dictionary, array->dictionary, (rows){0, taken.length > 0 ? array->dictionary->length : 0});
}

/* ---- Any ---- */

static int check_children(const place *at, const struct ArrowSchema *schema, const struct ArrowArray *array, rows taken,
                          int64_t each) {
  rows reached = {(array->offset + taken.start) * each, taken.length * each};
  for (int64_t c = 0; c < array->n_children; c++) {
    TRY(need_rows(at, array->children[c], taken.length > 0 ? reached.start + reached.length : 0));
    TRY(check(at, schema->children[c], array->children[c], taken.length > 0 ? reached : (rows){0}));
  }
  return 0;
}

static int check_nested(const place *at, const struct ArrowSchema *schema, const struct ArrowArray *array, rows taken) {
  const char *format = schema->format;
  bool wide = format[1] == 'L' || (format[1] == 'v' && format[2] == 'L');
  if (strchr("lLm", format[1]) || format[1] == 'v') {
    if (array->n_children != 1) return BAD(at, "column \"%.100s\": lists have one child", at->name);
    return format[1] == 'v' ? check_list_view(at, schema, array, wide ? 8 : 4, taken)
                            : check_list(at, schema, array, wide ? 8 : 4, taken);
  }
  if (format[1] == 'u') return check_union(at, schema, array, taken);
  if (format[1] == 'r') return check_runs(at, schema, array, taken);
  if (format[1] != 'w') return check_children(at, schema, array, taken, 1);
  int64_t each = strtoll(format + (format[2] == ':' ? 3 : 2), NULL, 10);
  if (each < 0 || each > INT32_MAX || array->offset + taken.start + taken.length > INT64_MAX / (each + 1))
    return BAD(at, "column \"%.100s\": lists of %lld items are too long", at->name, (long long)each);
  return check_children(at, schema, array, taken, each);
}

static int check(const place *at, const struct ArrowSchema *schema, const struct ArrowArray *array, rows taken) {
  const char *format = schema->format;
  if (!array || !array->release) return BAD(at, "column \"%.100s\": a child is released or missing", at->name);
  if (array->length < 0 || array->offset < 0 || array->length > INT64_MAX / 16 || array->offset > INT64_MAX / 32)
    return BAD(at, "column \"%.100s\": a child has %lld rows at offset %lld", at->name, (long long)array->length,
               (long long)array->offset);
  if (array->n_buffers < 0 || (array->n_buffers > 0 && !array->buffers))
    return BAD(at, "column \"%.100s\": the list of buffers of a child is missing", at->name);
  if (array->n_children != schema->n_children || !array->dictionary != !schema->dictionary
      || (array->n_children > 0 && !array->children))
    return BAD(at, "column \"%.100s\": the array's children are not those of its schema", at->name);
  TRY(need_rows(at, array, taken.start + taken.length));
  for (int64_t c = 0; c < array->n_children; c++)
    if (!array->children[c] || !array->children[c]->release)
      return BAD(at, "column \"%.100s\": a child is released or missing", at->name);
  if (array->dictionary) return check_keys(at, schema, array, taken);
  if (format[0] == '+') return check_nested(at, schema, array, taken);
  rows reached;
  if (strcmp(format, "u") == 0 || strcmp(format, "z") == 0) return check_offsets(at, array, 4, taken, &reached);
  if (strcmp(format, "U") == 0 || strcmp(format, "Z") == 0) return check_offsets(at, array, 8, taken, &reached);
  return 0;
}

int mm_arrow_check_nested(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t start,
                          int64_t length, const char *name, mm_error *error) {
  return check(&(place){name, error}, schema, array, (rows){start, length});
}
