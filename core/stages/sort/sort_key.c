/* sort_key.c - the keys of rows as numbers.
 * SPDX-License-Identifier: MIT */
#include "stages/sort/sort_key.h"
#include "base/alloc.h"
#include "base/error.h"
#include "kernels/reduce/reduce.h"
#include "types/column.h"
#include "types/total_order.h"
#include "types/type.h"
#include <string.h>

enum { BITS = 128, CHUNK = 1024 };
typedef unsigned __int128 wide;

/* ---- Layout ---- */

/* Bits of a type's code. Codes of all but 64-bit integers leave 0 and all ones to null. */
static int32_t code_width(int storage) {
  switch (storage) {
  case MM_BOOL: return 2;
  case MM_I8:
  case MM_U8: return 9;
  case MM_I16:
  case MM_U16: return 17;
  case MM_I32:
  case MM_U32: return 33;
  case MM_F32: return 32;
  case MM_NULL: return 0;
  default: return 64;
  }
}

static bool is_long(int storage) { return storage == MM_I64 || storage == MM_U64; }

int sort_spec_init(sort_spec *o, const mm_order *orders, int32_t count, const mm_schema *schema, mm_error *error) {
  int64_t size = count * (int64_t)sizeof *o->keys;
  o->keys = memory_allocate_zero(size);
  if (!o->keys) return error_fail_memory(error, size);
  o->count = count;
  int32_t start = 0;
  for (int32_t k = 0; k < count; k++) {
    sort_column *key = &o->keys[k];
    key->order = orders[k];
    key->type = type_storage(schema->fields[orders[k].column].type.id);
    key->start = start;
    key->width = code_width(key->type);
    if (key->type == MM_UTF8 && k == count - 1)
      key->width = (BITS - start) / 8 * 8; /* the last key gets what is left */
    key->bits = key->width < BITS - start ? key->width : BITS - start;
    if (key->type == MM_UTF8) {
      key->bits = key->bits / 8 * 8;
      if (key->bits < 16) key->bits = 0; /* a byte of text, a byte for its length */
      key->width = key->bits;
    }
    start = key->bits < code_width(key->type) && key->type != MM_UTF8 ? BITS : start + key->bits;
  }
  return 0;
}

void sort_spec_free(sort_spec *o) {
  memory_release(o->keys, o->count * (int64_t)sizeof *o->keys);
  o->keys = NULL;
  o->count = 0;
}

/* ---- Codes ---- */

static uint64_t code_f64(double value) { return (uint64_t)total_order_f64(value) ^ UINT64_C(1) << 63; }
static uint64_t code_f32(float value) { return (uint32_t)total_order_f32(value) ^ UINT32_C(1) << 31; }

#define CODES(ctype, code)                                                                                             \
  do {                                                                                                                 \
    const ctype *values = (const ctype *)column->data + first;                                                         \
    for (int64_t i = 0; i < n; i++) codes[i] = (code);                                                                 \
  } while (0)

/* Codes of rows first .. first + n - 1, ascending, nulls not regarded. */
static void make_codes(const mm_column *column, int64_t first, int64_t n, uint64_t *codes) {
  switch (type_storage(column->type.id)) {
  case MM_BOOL:
    for (int64_t i = 0; i < n; i++) codes[i] = 1 + bit_get(column->data, first + i);
    break;
  case MM_I8: CODES(int8_t, (uint64_t)(values[i] + 129)); break;
  case MM_I16: CODES(int16_t, (uint64_t)(values[i] + 32769)); break;
  case MM_I32: CODES(int32_t, (uint64_t)((int64_t)values[i] + INT64_C(2147483649))); break;
  case MM_I64: CODES(int64_t, (uint64_t)values[i] ^ UINT64_C(1) << 63); break;
  case MM_U8: CODES(uint8_t, (uint64_t)values[i] + 1); break;
  case MM_U16: CODES(uint16_t, (uint64_t)values[i] + 1); break;
  case MM_U32: CODES(uint32_t, (uint64_t)values[i] + 1); break;
  case MM_U64: CODES(uint64_t, values[i]); break;
  case MM_F32: CODES(float, code_f32(values[i])); break;
  case MM_F64: CODES(double, code_f64(values[i])); break;
  default: memset(codes, 0, (size_t)n * 8); break;
  }
}

static wide low_ones(int32_t bits) { return bits == 0 ? 0 : ~(wide)0 >> (BITS - bits); }

static void put_code(sort_key *r, wide code, int32_t shift) {
  wide placed = code << shift;
  r->high |= (uint64_t)(placed >> 64);
  r->low |= (uint64_t)placed;
}

/* Pack a key that is not text. Returns whether a null and a value with its number were seen as bits 0 and 1. */
static int pack_number(const sort_column *key, const mm_column *column, sort_key *sort_keys) {
  uint64_t codes[CHUNK], all = (uint64_t)low_ones(key->width), null = key->order.nulls_first ? 0 : all;
  uint64_t flip = key->order.descending ? all : 0;
  int32_t excess = key->width - key->bits, shift = BITS - key->start - key->bits, seen = 0;
  for (int64_t first = 0; first < column->length; first += CHUNK) {
    int64_t n = column->length - first < CHUNK ? column->length - first : CHUNK;
    make_codes(column, first, n, codes);
    for (int64_t i = 0; i < n; i++) {
      uint64_t code = codes[i] ^ flip;
      bool absent = column_is_null(column, first + i);
      seen |= absent ? 1 : code == null ? 2 : 0;
      put_code(&sort_keys[first + i], (absent ? null : code) >> excess, shift);
    }
  }
  return seen;
}

/* The first 16 bytes of a text, or what there is of it above zeros; `end` is that of all texts of the column. */
static wide first_bytes(const uint8_t *bytes, int64_t start, int64_t size, int64_t end) {
  uint64_t words[2] = {0, 0};
  if (start + 16 <= end) memcpy(words, bytes + start, 16);
  else if (size > 0) memcpy(words, bytes + start, (size_t)(size < 16 ? size : 16));
  wide text = (wide)__builtin_bswap64(words[0]) << 64 | __builtin_bswap64(words[1]);
  return size >= 16 ? text : text & ~(~(wide)0 >> 8 * size);
}

/* Pack the first bytes of text, filled up with zeros, and the length, or that it is longer. Returns whether one was. */
static bool pack_text(const sort_column *key, const mm_column *column, sort_key *sort_keys) {
  int32_t room = key->bits / 8 - 1, shift = BITS - key->start - key->bits;
  wide all = low_ones(key->bits), null = key->order.nulls_first ? 0 : all, flip = key->order.descending ? all : 0;
  int64_t end = column->length ? column->offsets[column->length] : 0;
  bool cut = false;
  for (int64_t i = 0; i < column->length; i++) {
    if (column_is_null(column, i)) {
      put_code(&sort_keys[i], null, shift);
      continue;
    }
    int32_t start = column->offsets[i], size = column->offsets[i + 1] - start;
    wide text = first_bytes(column->data, start, size < room ? size : room, end) >> (BITS - key->bits);
    text |= (wide)(size <= room ? size + 1 : room + 2); /* the last byte is free: room is one byte less */
    cut |= size > room;
    put_code(&sort_keys[i], text ^ flip, shift);
  }
  return cut;
}

void sort_spec_keys(const sort_spec *o, const mm_batch *rows, int32_t part, sort_key *sort_keys,
                    key_precision *precision) {
  *precision = (key_precision){.key = o->count};
  for (int64_t i = 0; i < rows->length; i++) sort_keys[i] = (sort_key){.at = {part, (int32_t)i}};
  for (int32_t k = 0; k < o->count; k++) {
    const sort_column *key = &o->keys[k];
    const mm_column *column = &rows->columns[key->order.column];
    bool cut;
    if (key->type == MM_UTF8) {
      cut = key->bits == 0 || pack_text(key, column, sort_keys);
    } else {
      int seen = key->bits > 0 ? pack_number(key, column, sort_keys) : 0;
      cut = key->bits < key->width;
      if (is_long(key->type) && key->bits > 0) {
        precision->nulls |= (uint64_t)(seen & 1) << k;
        precision->extremes |= (uint64_t)(seen >> 1) << k;
        cut |= seen == 3;
      }
    }
    precision->bits = key->start + key->bits;
    if (!cut) continue;
    precision->key = k;
    return;
  }
}

void key_precision_join(const sort_spec *o, key_precision *to, const key_precision *other) {
  to->nulls |= other->nulls;
  to->extremes |= other->extremes;
  if (other->bits < to->bits) to->bits = other->bits;
  if (other->key < to->key) to->key = other->key;
  uint64_t unclear = to->nulls & to->extremes;
  int32_t key = unclear ? __builtin_ctzll(unclear) : to->key;
  if (key >= to->key) return;
  to->key = key;
  to->bits = o->keys[key].start + o->keys[key].bits;
}

sort_key sort_key_masked(sort_key r, int32_t bits) {
  wide mask = low_ones(bits) << (bits ? BITS - bits : 0);
  r.high &= (uint64_t)(mask >> 64);
  r.low &= (uint64_t)mask;
  return r;
}

bool sort_key_is_open(const sort_spec *o, int32_t key, const sort_key *r) {
  if (key == o->count) return false;
  const sort_column *last = &o->keys[key];
  if (key < o->count - 1 || last->type != MM_UTF8 || last->bits == 0) return true;
  wide code = ((wide)r->high << 64 | r->low) >> (BITS - last->start - last->bits);
  int32_t room = last->bits / 8 - 1;
  return (uint8_t)(code ^ (last->order.descending ? 0xFF : 0)) == room + 2;
}

/* ---- A boundary ---- */

/* The value of the first key of a boundary as its place in the one order, as range_filter takes it. */
static int64_t place_of(const sort_column *key, uint64_t code) {
  uint64_t value = key->order.descending ? code ^ (uint64_t)low_ones(key->width) : code;
  switch (key->type) {
  case MM_F32: return (int32_t)((uint32_t)value ^ UINT32_C(1) << 31);
  case MM_F64:
  case MM_I64:
  case MM_U64: break;
  default: return (int64_t)value - 1 - (INT64_C(1) << key->width >> 2); /* codes begin with 1 */
  }
  return (int64_t)(value ^ UINT64_C(1) << 63);
}

int64_t sort_spec_filter(const sort_spec *o, const mm_batch *rows, const sort_key *boundary, uint64_t *passed) {
  const sort_column *key = &o->keys[0];
  range_filter sift = o->count ? range_filter_of(key->type) : NULL;
  if (!sift) return -1;
  uint64_t all = (uint64_t)low_ones(key->width);
  uint64_t code = (uint64_t)(((wide)boundary->high << 64 | boundary->low) >> (BITS - key->width));
  if (code == 0 || code == all) return -1; /* perhaps null */
  int64_t place = place_of(key, code), least = -INT64_MAX - 1;
  if (key->order.descending) place = ~place; /* of the reverse order */
  const mm_column *column = &rows->columns[key->order.column];
  int64_t words = bit_words(rows->length);
  if (o->count > 1) sift(passed, column->data, rows->length, place, key->order.descending);
  else if (place > least) sift(passed, column->data, rows->length, place - 1, key->order.descending);
  else memset(passed, 0, (size_t)words * 8);
  if (column->valid) {
    for (int64_t w = 0; w < words; w++) {
      if (key->order.nulls_first) passed[w] |= ~column->valid[w];
      else passed[w] &= column->valid[w];
    }
    if (rows->length & 63) passed[words - 1] &= (UINT64_C(1) << (rows->length & 63)) - 1;
  }
  return bits_count(passed, rows->length);
}
