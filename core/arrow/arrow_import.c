/* arrow_import.c - Arrow struct arrays as batches.
 *
 * DESIGN. The array is moved into a foreign block, and every column that shows its memory holds a reference to that
 * block: the array is released with the last of them. Copied are only bits that do not start on a word or end within
 * one (words are read whole here, and the producer need not have padded), values that are not aligned, the offsets of
 * text, dictionaries and views. Offsets are copied so that what was checked is what is used: a producer that still
 * writes its buffers changes values, but cannot lead a kernel out of the text. Checked is what the interface shows:
 * counts, lengths, offsets, and that text is UTF-8. How long a buffer really is cannot be seen.
 *
 * SPDX-License-Identifier: MIT */
#include "arrow/arrow_check.h"
#include "arrow/arrow_format.h"
#include "arrow/arrow_schema.h"
#include "base/alloc.h"
#include "base/error.h"
#include "types/column.h"
#include "types/opaque.h"
#include "types/type.h"
#include <stdio.h>
#include <string.h>

enum { DAY = 86400000, VIEW = sizeof(arrow_view) };

/* The array that is being imported, and the column within it. */
typedef struct intake {
  mm_block *root;
  const char *name;
  mm_error *error;
} intake;

#define BAD(in, ...) error_fail((in)->error, MM_EDATA, "bad-arrow", __VA_ARGS__)

static mm_block *share(const intake *in) {
  mm_block_retain(in->root);
  return in->root;
}

static bool aligned(const void *pointer, int64_t width) { return (uintptr_t)pointer % (uintptr_t)width == 0; }

/* Bits from `start` on: shared when they are whole words, else copied. */
static int take_bits(const intake *in, const uint64_t **bits, mm_block **block, const void *from, int64_t start,
                     int64_t length) {
  const uint8_t *first = (const uint8_t *)from + start / 8;
  if (start % 8 == 0 && length % 64 == 0 && aligned(first, 8)) {
    *bits = (const uint64_t *)(const void *)first;
    *block = share(in);
    return 0;
  }
  *block = mm_block_new(bit_words(length) * 8, in->error);
  if (!*block) return MM_ENOMEM;
  bits_copy((uint64_t *)mm_block_data(*block), from, start, length);
  *bits = (const uint64_t *)mm_block_data(*block);
  return 0;
}

static int take_valid(const intake *in, mm_column *to, const struct ArrowArray *array, int64_t start) {
  if (array->null_count == 0 || to->length == 0) return 0;
  if (!array->buffers[0])
    return array->null_count > 0 ? BAD(in, "nulls are counted, but there is no validity buffer") : 0;
  return take_bits(in, &to->valid, &to->valid_block, array->buffers[0], start, to->length);
}

static int fresh_data(const intake *in, mm_column *to, int64_t size) {
  to->data_block = mm_block_new(size, in->error);
  if (!to->data_block) return MM_ENOMEM;
  to->data = mm_block_data(to->data_block);
  return 0;
}

static int fresh_offsets(const intake *in, mm_column *to) {
  to->offsets_block = mm_block_new((to->length + 1) * 4, in->error);
  if (!to->offsets_block) return MM_ENOMEM;
  to->offsets = (const int32_t *)mm_block_data(to->offsets_block);
  *(int32_t *)mm_block_data(to->offsets_block) = 0;
  return 0;
}

static int take_values(const intake *in, mm_column *to, const struct ArrowArray *array, int64_t start) {
  int64_t width = mm_type_width(to->type);
  const uint8_t *first = (const uint8_t *)array->buffers[1] + start * width;
  if (aligned(first, width)) {
    to->data = first;
    to->data_block = share(in);
    return 0;
  }
  TRY(fresh_data(in, to, to->length * width));
  memcpy(mm_block_data(to->data_block), first, (size_t)(to->length * width));
  return 0;
}

/* Milliseconds of whole days. */
static int take_date64(const intake *in, mm_column *to, const struct ArrowArray *array, int64_t start) {
  TRY(fresh_data(in, to, to->length * 4));
  int32_t *days = (int32_t *)mm_block_data(to->data_block);
  const uint8_t *from = (const uint8_t *)array->buffers[1] + start * 8;
  for (int64_t i = 0; i < to->length; i++) {
    int64_t value;
    memcpy(&value, from + i * 8, 8);
    days[i] = (int32_t)(value / DAY);
    if (value % DAY == 0 && value / DAY == days[i]) continue;
    if (to->valid && !bit_get(to->valid, i)) days[i] = 0;
    else return BAD(in, "date %lld ms is not a whole day in range", (long long)value);
  }
  return 0;
}

/* ---- Text ---- */

static int fail_size(const intake *in) {
  return error_fail(in->error, MM_ELIMIT, "limit", "more than 2 GiB of text in one batch: pass smaller batches");
}

/* Offsets from zero on; the size of the text, or -1 where they are negative or go backwards. */
static int64_t rebase_wide(int32_t *offsets, const uint8_t *from, int64_t length, int64_t *begin) {
  const int64_t first = *begin = arrow_offset(from, 0, true);
  int64_t before = first;
  bool good = first >= 0;
  for (int64_t i = 1; i <= length; i++) {
    int64_t next = arrow_offset(from, i, true);
    good &= next >= before;
    offsets[i] = (int32_t)((uint64_t)next - (uint64_t)first);
    before = next;
  }
  return good ? before - first : -1;
}

/* Its sign bit: is an offset negative, or below the one before it, which is not negative? */
static inline uint32_t falls(uint32_t before, uint32_t next) { return next | (next - before); }

/* Some offsets, copied, then looked at in the cache; *before: the one before them. The sign bits of `falls`. */
static inline uint32_t rebase_block(uint32_t *block, const uint8_t *from, int64_t count, uint32_t first,
                                    uint32_t *before) {
  memcpy(block, from, (size_t)count * 4);
  uint32_t signs = falls(*before, block[0]);
  for (int64_t i = 1; i < count; i++) signs |= falls(block[i - 1], block[i]);
  *before = block[count - 1];
  for (int64_t i = 0; i < count && first; i++) block[i] -= first;
  return signs;
}

/* The same of offsets of 32 bits: the compiler makes vector instructions of loops whose length it knows. */
static int64_t rebase_narrow(int32_t *offsets, const uint8_t *from, int64_t length, int64_t *begin) {
  enum { BLOCK = 1024 };
  uint32_t *to = (uint32_t *)offsets, first = (uint32_t)arrow_offset(from, 0, false), before = first, signs = first;
  int64_t i = 1;
  for (; i + BLOCK <= length + 1; i += BLOCK) signs |= rebase_block(to + i, from + i * 4, BLOCK, first, &before);
  if (i <= length) signs |= rebase_block(to + i, from + i * 4, length + 1 - i, first, &before);
  *begin = first;
  return signs >> 31 ? -1 : (int64_t)before - first;
}

/* Offsets are copied, and what is checked is the copy: the producer may write its own at any time. */
static int copy_offsets(const intake *in, mm_column *to, const uint8_t *from, bool large, int64_t *first) {
  TRY(fresh_offsets(in, to));
  int32_t *offsets = (int32_t *)mm_block_data(to->offsets_block);
  int64_t size =
      large ? rebase_wide(offsets, from, to->length, first) : rebase_narrow(offsets, from, to->length, first);
  if (size < 0) return BAD(in, "text offsets are negative or go backwards");
  return size > INT32_MAX ? fail_size(in) : 0;
}

static int take_text(const intake *in, mm_column *to, const struct ArrowArray *array, int64_t start, bool large) {
  const uint8_t *offsets = (const uint8_t *)array->buffers[1] + start * (large ? 8 : 4);
  int64_t first;
  TRY(copy_offsets(in, to, offsets, large, &first));
  if (!array->buffers[2])
    return to->offsets[to->length] > 0 ? BAD(in, "the text buffer is missing") : fresh_data(in, to, 0);
  to->data = (const uint8_t *)array->buffers[2] + first;
  to->data_block = share(in);
  return 0;
}

/* The lengths are read once, into the offsets: the producer may write its own at any time. */
static int measure_views(const intake *in, mm_column *to, const struct ArrowArray *array, const uint8_t *views) {
  TRY(fresh_offsets(in, to));
  int32_t *offsets = (int32_t *)mm_block_data(to->offsets_block), length;
  int64_t size = 0;
  const uint8_t *text;
  for (int64_t i = 0; i < to->length; i++) {
    if (!to->valid || bit_get(to->valid, i)) {
      TRY(arrow_find_view(array, views + i * VIEW, &text, &length, in->error));
      size += length;
      if (size > INT32_MAX) return fail_size(in);
    }
    offsets[i + 1] = (int32_t)size;
  }
  return 0;
}

static int take_views(const intake *in, mm_column *to, const struct ArrowArray *array, int64_t start) {
  const uint8_t *views = (const uint8_t *)array->buffers[1] + start * VIEW, *text;
  TRY(arrow_check_view_buffers(array, in->error));
  TRY(measure_views(in, to, array, views));
  TRY(fresh_data(in, to, to->offsets[to->length]));
  for (int64_t i = 0; i < to->length; i++) {
    int32_t begin = to->offsets[i], length = to->offsets[i + 1] - begin, now;
    if (length == 0) continue;
    TRY(arrow_find_view(array, views + i * VIEW, &text, &now, in->error));
    if (now != length) return BAD(in, "a text view changed while it was read");
    memcpy(mm_block_data(to->data_block) + begin, text, (size_t)length);
  }
  return 0;
}

/* Whether the texts are UTF-8 each: all of them at once, and no text begins within a character. */
static bool is_utf8_throughout(const mm_column *column) {
  const int32_t *offsets = column->offsets;
  const uint8_t *bytes = column->data;
  int32_t end = offsets[column->length];
  if (mm_utf8_invalid(bytes + offsets[0], end - offsets[0]) >= 0) return false;
  for (int64_t i = 0; i < column->length; i++)
    if (offsets[i] < end && (bytes[offsets[i]] & 0xc0) == 0x80) return false;
  return true;
}

/* Null rows may hold anything. */
static int check_utf8(const intake *in, const mm_column *column) {
  if (is_utf8_throughout(column)) return 0;
  const int32_t *offsets = column->offsets;
  for (int64_t i = 0; i < column->length; i++) {
    if (column_is_null(column, i)) continue;
    const uint8_t *text = (const uint8_t *)column->data + offsets[i];
    if (mm_utf8_invalid(text, offsets[i + 1] - offsets[i]) < 0) continue;
    error_fail(in->error, MM_EDATA, "bad-utf8", "column \"%.100s\": the text of row %lld is not valid UTF-8", in->name,
               (long long)i + 1);
    if (in->error) snprintf(in->error->hint, sizeof in->error->hint, "pass it as binary");
    return MM_EDATA;
  }
  return 0;
}

/* ---- Columns ---- */

static int import_column(const intake *in, mm_column *to, const struct ArrowSchema *schema,
                         const struct ArrowArray *array, int64_t start, int64_t length);

static int import_foreign(const intake *in, mm_column *to, const struct ArrowSchema *schema,
                          const struct ArrowArray *array, int64_t start) {
  TRY(arrow_check_nested(schema, array, start, to->length, in->error));
  bool bits = array->n_buffers > 0 && strncmp(schema->format, "+u", 2) != 0; /* unions have no validity */
  if (bits) TRY(take_valid(in, to, array, array->offset + start));
  TRY(fresh_data(in, to, sizeof(opaque_value)));
  *(opaque_value *)mm_block_data(to->data_block) = (opaque_value){array, start};
  to->offsets_block = share(in);
  return 0;
}

/* The row of the dictionary that row i means; -1 for null. */
static int64_t key_at(const mm_column *keys, int64_t i) {
  if (keys->valid && !bit_get(keys->valid, i)) return -1;
  switch (keys->type.id) {
#define X(ENUM, suffix, ctype, format)                                                                                 \
  case MM_##ENUM: {                                                                                                    \
    int64_t key = (int64_t)((const ctype *)keys->data)[i]; /* u64 beyond i64 turns negative */                         \
    return key < 0 ? INT64_MAX : key;                                                                                  \
  }
    TYPE_INTEGERS(X)
#undef X
  default: return INT64_MAX;
  }
}

static int look_up(const intake *in, mm_column *to, const mm_column *keys, const mm_column *values) {
  int64_t size = keys->length * 8;
  int64_t *rows = memory_allocate(size);
  if (!rows) return error_fail_memory(in->error, size);
  int status = 0;
  for (int64_t i = 0; i < keys->length && status >= 0; i++) {
    rows[i] = key_at(keys, i);
    if (rows[i] >= values->length) status = BAD(in, "row %lld points outside its dictionary", (long long)i + 1);
  }
  if (status >= 0) status = mm_column_take(to, values, rows, keys->length, in->error);
  memory_release(rows, size);
  return status;
}

static int import_dictionary(const intake *in, mm_column *to, const struct ArrowSchema *schema,
                             const struct ArrowArray *array, int64_t start, int64_t length) {
  struct ArrowSchema plain = *schema;
  plain.dictionary = NULL;
  mm_column keys = {0}, values = {0};
  int status = array->dictionary ? 0 : BAD(in, "the dictionary is missing");
  if (status >= 0) status = import_column(in, &keys, &plain, array, start, length);
  if (status >= 0)
    status = import_column(in, &values, schema->dictionary, array->dictionary, 0, array->dictionary->length);
  if (status >= 0) status = look_up(in, to, &keys, &values);
  mm_column_release(&keys);
  mm_column_release(&values);
  return status;
}

/* Buffers and values of a plain type; `to` has its type and length. */
static int import_plain(const intake *in, mm_column *to, const char *format, const struct ArrowArray *array,
                        int64_t start) {
  bool text = type_is_text(to->type.id), views = format[0] == 'v';
  int64_t buffers = views ? -1 : text ? 3 : to->type.id == MM_NULL ? 0 : 2;
  TRY(arrow_check_rows(array, start, to->length, buffers, in->error));
  if (to->type.id == MM_NULL) return 0;
  if (to->length == 0) { /* then a producer may leave its buffers out */
    if (text) TRY(fresh_offsets(in, to));
    return fresh_data(in, to, 0);
  }
  start += array->offset;
  if (!array->buffers[1]) return BAD(in, "the buffer of values is missing");
  TRY(take_valid(in, to, array, start));
  if (views) return take_views(in, to, array, start);
  if (text) return take_text(in, to, array, start, format[0] == 'U' || format[0] == 'Z');
  if (to->type.id == MM_BOOL)
    return take_bits(in, (const uint64_t **)&to->data, &to->data_block, array->buffers[1], start, to->length);
  return strcmp(format, "tdm") == 0 ? take_date64(in, to, array, start) : take_values(in, to, array, start);
}

static int import_column(const intake *in, mm_column *to, const struct ArrowSchema *schema,
                         const struct ArrowArray *array, int64_t start, int64_t length) {
  mm_type type;
  TRY(arrow_type_of(schema, &type, in->error));
  if (!array || !array->release) return BAD(in, "the array is released or missing");
  if (schema->dictionary && type.id != MM_OPAQUE) return import_dictionary(in, to, schema, array, start, length);
  *to = (mm_column){.type = type, .length = length};
  int status = type.id == MM_OPAQUE ? import_foreign(in, to, schema, array, start)
                                    : import_plain(in, to, schema->format, array, start);
  if (status >= 0 && type.id == MM_UTF8) status = check_utf8(in, to);
  if (status < 0) mm_column_release(to);
  return status;
}

/* ---- Batches ---- */

static void release_root(void *owner) {
  struct ArrowArray *array = owner;
  array->release(array);
  memory_release(array, sizeof *array);
}

static int check_root(const intake *in, const struct ArrowSchema *schema, const struct ArrowArray *array) {
  TRY(arrow_check_schema(schema, in->error));
  if (strcmp(schema->format, "+s") != 0) return BAD(in, "Arrow data must be a struct of columns");
  TRY(arrow_check_rows(array, 0, 0, 1, in->error));
  if (array->n_children != schema->n_children || array->n_children > INT32_MAX
      || (array->n_children > 0 && !array->children))
    return BAD(in, "the schema has %lld columns, the array %lld", (long long)schema->n_children,
               (long long)array->n_children);
  if (array->null_count == 0 || !array->buffers[0]) return 0;
  mm_column rows = {.length = array->length};
  TRY(take_bits(in, &rows.valid, &rows.valid_block, array->buffers[0], array->offset, array->length));
  bool nulls = mm_column_null_count(&rows) > 0;
  mm_column_release(&rows);
  return nulls ? BAD(in, "rows that are null as a whole cannot be taken") : 0;
}

static int import_batch(intake *in, const struct ArrowSchema *schema, const struct ArrowArray *array, mm_batch *to) {
  TRY(mm_batch_resize(to, (int32_t)array->n_children, in->error));
  to->length = array->length;
  for (int32_t i = 0; i < to->count; i++) {
    const struct ArrowSchema *field = schema->children[i];
    in->name = field->name ? field->name : "";
    int status = import_column(in, &to->columns[i], field, array->children[i], array->offset, array->length);
    if (status < 0 && in->error)
      error_copy_text(in->error->field, sizeof in->error->field, in->name, (int64_t)strlen(in->name));
    TRY(status);
  }
  return 0;
}

int mm_arrow_import_batch(const struct ArrowSchema *schema, struct ArrowArray *take, mm_batch *to, mm_error *error) {
  intake in = {.error = error};
  if (!take->release) return BAD(&in, "the array is released or missing");
  struct ArrowArray *moved = memory_allocate(sizeof *moved);
  if (!moved) {
    take->release(take);
    return error_fail_memory(error, sizeof *moved);
  }
  *moved = *take;
  take->release = NULL;
  in.root = mm_block_foreign(NULL, 0, moved, release_root, error);
  if (!in.root) {
    release_root(moved);
    return MM_ENOMEM;
  }
  int status = check_root(&in, schema, moved);
  if (status >= 0) status = import_batch(&in, schema, moved, to);
  if (status < 0) mm_batch_resize(to, 0, NULL);
  mm_block_release(in.root);
  return status;
}
