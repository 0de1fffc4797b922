/* row_encoding.c - keys as words: entries out of columns, and columns out of entries.
 * SPDX-License-Identifier: MIT */
#include "hash/row_encoding.h"
#include "base/alloc.h"
#include "base/error.h"
#include "kernels/kernel.h"
#include "types/column.h"
#include "types/hash_bytes.h"
#include "types/total_order.h"
#include "types/type.h"
#include <string.h>

enum { HALF, WORD, TEXT, NOTHING }; /* encoded_column.kind */
enum { INLINE = 15 };               /* bytes of text in the entry itself */

#define NULL_HALF (UINT64_C(1) << 32)    /* a single column of up to 32 bits */
#define NULL_TEXT (UINT64_C(0xfe) << 56) /* second word of a single text */
enum { NULL_HASH = 1 };                  /* of the word 0, whose own hash is 0, in a single column of 64 bits */

/* ---- Layout ---- */

int row_encoding_init(row_encoding *encoding, const mm_type *types, int32_t count, bool nulls, mm_error *error) {
  *encoding = (row_encoding){.count = count};
  encoding->columns = memory_allocate_zero((int64_t)sizeof(encoded_column) * (count ? count : 1));
  if (!encoding->columns) return error_fail_memory(error, (int64_t)sizeof(encoded_column) * count);
  int32_t word = 1, half = 0; /* `half`: a word whose upper half is free */
  for (int32_t c = 0; c < count; c++) {
    encoded_column *column = &encoding->columns[c];
    int id = type_storage(types[c].id);
    column->type = types[c];
    int64_t width = id == MM_BOOL ? 1 : mm_type_width(types[c]);
    column->kind = id == MM_NULL ? NOTHING : type_is_text(id) ? TEXT : width > 4 ? WORD : HALF;
    if (column->kind == HALF && half) {
      column->word = half, column->shift = 32, half = 0;
    } else {
      column->word = word;
      if (column->kind == HALF) half = word;
      if (column->kind != NOTHING) word += column->kind == TEXT ? 2 : 1;
    }
    encoding->text |= column->kind == TEXT;
  }
  if (nulls && count > 1) {
    encoding->nulls = word;
    word += (count + 63) / 64;
  }
  encoding->words = word - 1;
  for (int32_t c = 0; c < count; c++)
    if (type_is_float(types[c].id)) encoding->columns[c].raw = word++;
  encoding->stride = word;
  return 0;
}

int row_encoding_init_keys(row_encoding *encoding, const mm_schema *schema, const int32_t *columns, int32_t count,
                           mm_error *error) {
  int64_t size = count * (int64_t)sizeof(mm_type);
  mm_type *types = memory_allocate(size);
  if (!types) return error_fail_memory(error, size);
  for (int32_t k = 0; k < count; k++) types[k] = schema->fields[columns[k]].type;
  int status = row_encoding_init(encoding, types, count, true, error);
  for (int32_t k = 0; k < count && status >= 0; k++) encoding->columns[k].raw = 0;
  if (status >= 0) encoding->stride = encoding->words + 1;
  memory_release(types, size);
  return status;
}

void row_encoding_free(row_encoding *encoding) {
  memory_release(encoding->columns, (int64_t)sizeof(encoded_column) * (encoding->count ? encoding->count : 1));
  *encoding = (row_encoding){0};
}

/* ---- Hashes ---- */

/* Both halves of a 128-bit product: every bit of the factors reaches every bit of the result. */
static inline uint64_t fold_product(uint64_t a, uint64_t b) {
  unsigned __int128 product = (unsigned __int128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#define SALT_A UINT64_C(0x9e3779b97f4a7c15)
#define SALT_B UINT64_C(0xc2b2ae3d27d4eb4f)

static inline uint64_t hash_text(uint64_t first, uint64_t second) {
  if (key_is_long(second)) first = hash_bytes((const void *)(uintptr_t)first, key_size(second), 0);
  return fold_product(first ^ SALT_A, second ^ SALT_B);
}

/* Add word w to the hashes of n entries; of text, that word and the next. */
static void add_word(uint64_t *entries, int64_t n, int32_t stride, int32_t w, bool text) {
  for (int64_t i = 0; i < n; i++, entries += stride) {
    uint64_t word = text ? hash_text(entries[w], entries[w + 1]) : entries[w];
    entries[0] = fold_product(entries[0] ^ word, SALT_B) + SALT_A;
  }
}

/* Word by word, so that no entry waits for another. */
static void hash_words(const row_encoding *encoding, uint64_t *entries, int64_t n) {
  for (int64_t i = 0; i < n; i++) entries[i * encoding->stride] = SALT_A;
  int32_t c = 0;
  for (int32_t w = 1; w <= encoding->words; w++) {
    while (c < encoding->count && (encoding->columns[c].word < w || encoding->columns[c].kind != TEXT)) c++;
    bool text = c < encoding->count && encoding->columns[c].word == w;
    if (text) add_word(entries, n, encoding->stride, w, true);
    else add_word(entries, n, encoding->stride, w, false);
  }
}

void row_encoding_hash(const row_encoding *encoding, uint64_t *entries, int64_t n) {
  int32_t stride = encoding->stride;
  if (encoding->words == 1) /* a bijection, on which null of a single column relies */
    for (int64_t i = 0; i < n; i++) entries[i * stride] = hash_u64(entries[i * stride + 1]);
  else if (encoding->words == 2 && encoding->count == 1)
    for (int64_t i = 0; i < n; i++) entries[i * 3] = hash_text(entries[i * 3 + 1], entries[i * 3 + 2]);
  else hash_words(encoding, entries, n);
}

/* ---- Columns to entries ---- */

static inline void put_bits(uint64_t *word, int32_t shift, uint64_t bits) {
  *word = shift ? *word | bits << 32 : bits; /* the lower half comes first */
}

static void encode_1(const uint8_t *x, int32_t shift, int64_t n, uint64_t *at, int32_t stride) {
  for (int64_t i = 0; i < n; i++) put_bits(at + i * stride, shift, x[i]);
}
static void encode_2(const uint16_t *x, int32_t shift, int64_t n, uint64_t *at, int32_t stride) {
  for (int64_t i = 0; i < n; i++) put_bits(at + i * stride, shift, x[i]);
}
static void encode_4(const uint32_t *x, int32_t shift, int64_t n, uint64_t *at, int32_t stride) {
  for (int64_t i = 0; i < n; i++) put_bits(at + i * stride, shift, x[i]);
}
static void encode_8(const uint64_t *x, int64_t n, uint64_t *at, int32_t stride) {
  for (int64_t i = 0; i < n; i++) at[i * stride] = x[i];
}
static void encode_bits(const uint64_t *bits, int64_t start, int32_t shift, int64_t n, uint64_t *at, int32_t stride) {
  for (int64_t i = 0; i < n; i++) put_bits(at + i * stride, shift, bit_get(bits, start + i));
}
/* `raw`: how far behind the word of the key the bits themselves go; 0: nowhere. */
static void encode_f32(const float *x, int32_t shift, int64_t n, uint64_t *at, int32_t stride, int32_t raw) {
  for (int64_t i = 0; i < n; i++) {
    put_bits(at + i * stride, shift, key_bits_f32(x[i]));
    if (raw) at[i * stride + raw] = float_bits_f32(x[i]);
  }
}
static void encode_f64(const double *x, int64_t n, uint64_t *at, int32_t stride, int32_t raw) {
  for (int64_t i = 0; i < n; i++) {
    at[i * stride] = key_bits_f64(x[i]);
    if (raw) at[i * stride + raw] = float_bits_f64(x[i]);
  }
}

static inline uint64_t first_bytes(uint64_t word, int64_t size) { /* 0 .. 8 */
  return size >= 8 ? word : word & ((UINT64_C(1) << size * 8) - 1);
}

static void encode_text(const mm_column *column, int64_t start, int64_t n, uint64_t *at, int32_t stride) {
  const uint8_t *bytes = column->data;
  const int32_t *offsets = column->offsets + start;
  int64_t readable = column->length ? column->offsets[column->length] : 0; /* a foreign block may end there */
  for (int64_t i = 0; i < n; i++) {
    int64_t from = offsets[i], size = offsets[i + 1] - from;
    uint64_t first = 0, second = 0;
    if (size > INLINE) {
      at[i * stride] = (uint64_t)(uintptr_t)(bytes + from);
      at[i * stride + 1] = UINT64_C(0xff) << 56 | (uint64_t)size;
      continue;
    }
    if (from + 16 <= readable) {
      memcpy(&first, bytes + from, 8);
      first = first_bytes(first, size);
      if (size > 8) {
        memcpy(&second, bytes + from + 8, 8);
        second = first_bytes(second, size - 8);
      }
    } else if (size) {
      uint8_t copy[16] = {0};
      memcpy(copy, bytes + from, (size_t)size);
      memcpy(&first, copy, 8);
      memcpy(&second, copy + 8, 8);
    }
    at[i * stride] = first;
    at[i * stride + 1] = second | (uint64_t)size << 56;
  }
}

static void encode_null(const row_encoding *encoding, int32_t index, uint64_t *entry) {
  const encoded_column *key = &encoding->columns[index];
  if (encoding->nulls) {
    entry[encoding->nulls + index / 64] |= UINT64_C(1) << (index & 63);
    if (key->kind == HALF) entry[key->word] &= key->shift ? UINT32_MAX : ~(uint64_t)UINT32_MAX;
    if (key->kind == WORD) entry[key->word] = 0;
    if (key->kind == TEXT) entry[key->word] = entry[key->word + 1] = 0;
  } else if (key->kind == HALF) {
    entry[key->word] = NULL_HALF;
  } else if (key->kind == WORD) {
    entry[key->word] = 0;
  } else if (key->kind == TEXT) {
    entry[key->word] = 0;
    entry[key->word + 1] = NULL_TEXT;
  }
}

void row_encoding_encode(const row_encoding *encoding, int32_t index, const mm_column *column, int64_t start, int64_t n,
                         uint64_t *entries) {
  const encoded_column *key = &encoding->columns[index];
  int32_t stride = encoding->stride, raw = key->raw ? key->raw - key->word : 0;
  uint64_t *at = entries + key->word;
  if (index == 0 && encoding->nulls)
    for (int64_t i = 0; i < n; i++)
      for (int32_t w = 0; w < (encoding->count + 63) / 64; w++) entries[i * stride + encoding->nulls + w] = 0;
  const uint8_t *data = column->data;
  switch (type_storage(key->type.id)) {
  case MM_BOOL: encode_bits(column->data, start, key->shift, n, at, stride); break;
  case MM_I8:
  case MM_U8: encode_1(data + start, key->shift, n, at, stride); break;
  case MM_I16:
  case MM_U16: encode_2((const uint16_t *)data + start, key->shift, n, at, stride); break;
  case MM_I32:
  case MM_U32: encode_4((const uint32_t *)data + start, key->shift, n, at, stride); break;
  case MM_I64:
  case MM_U64: encode_8((const uint64_t *)data + start, n, at, stride); break;
  case MM_F32: encode_f32((const float *)data + start, key->shift, n, at, stride, raw); break;
  case MM_F64: encode_f64((const double *)data + start, n, at, stride, raw); break;
  case MM_UTF8:
  case MM_BINARY: encode_text(column, start, n, at, stride); break;
  default: /* MM_NULL */
    for (int64_t i = 0; i < n && encoding->nulls; i++) encode_null(encoding, index, entries + i * stride);
    return;
  }
  if (!column->valid) return;
  for (int64_t i = 0; i < n; i++)
    if (!bit_get(column->valid, start + i)) encode_null(encoding, index, entries + i * stride);
}

void row_encoding_complete(const row_encoding *encoding, const mm_column *first, int64_t start, int64_t n,
                           uint64_t *entries) {
  row_encoding_hash(encoding, entries, n);
  if (encoding->count == 1 && encoding->columns[0].kind == WORD && first->valid)
    for (int64_t i = 0; i < n; i++)
      if (!bit_get(first->valid, start + i)) entries[i * encoding->stride] = NULL_HASH;
}

/* ---- Entries to columns ---- */

static bool entry_null(const row_encoding *encoding, int32_t index, const uint64_t *entry) {
  const encoded_column *key = &encoding->columns[index];
  if (key->kind == NOTHING) return true;
  if (encoding->nulls) return entry[encoding->nulls + index / 64] >> (index & 63) & 1;
  if (key->kind == HALF) return entry[key->word] == NULL_HALF;
  if (key->kind == WORD) return entry[0] == NULL_HASH && entry[key->word] == 0;
  return entry[key->word + 1] == NULL_TEXT;
}

static inline text_view entry_text(const encoded_column *key, const uint64_t *entry) {
  uint64_t second = entry[key->word + 1];
  if (key_is_long(second)) return (text_view){(const uint8_t *)(uintptr_t)entry[key->word], key_size(second)};
  int64_t size = (int64_t)(second >> 56);
  return (text_view){(const uint8_t *)(entry + key->word),
                     size > INLINE ? 0 : size}; /* little-endian words are the bytes */
}

const uint8_t *row_encoding_value(const row_encoding *encoding, int32_t index, const uint64_t *entry, int64_t *size) {
  const encoded_column *key = &encoding->columns[index];
  if (key->kind == TEXT) {
    text_view text = entry_text(key, entry);
    *size = text.size;
    return text.bytes;
  }
  int64_t width = mm_type_width(key->type);
  *size = width ? width : 1;
  return key->raw ? (const uint8_t *)(entry + key->raw) : (const uint8_t *)(entry + key->word) + key->shift / 8;
}

static int decode_text(const encoded_column *key, const uint64_t *const *entries, int64_t n, bool nulls,
                       mm_column *column, mm_error *error) {
  int64_t bytes = 0;
  for (int64_t i = 0; i < n; i++) bytes += entry_text(key, entries[i]).size;
  if (bytes > INT32_MAX)
    return error_fail(error, MM_ELIMIT, "too-much-text", "the keys of %lld groups exceed 2 GiB", (long long)n);
  TRY(mm_column_make(column, key->type, n, bytes, nulls, error));
  int32_t *offsets = (int32_t *)column->offsets;
  uint8_t *to = (uint8_t *)column->data;
  offsets[0] = 0;
  for (int64_t i = 0; i < n; i++) {
    text_view text = entry_text(key, entries[i]);
    if (text.size) memcpy(to + offsets[i], text.bytes, (size_t)text.size);
    offsets[i + 1] = offsets[i] + (int32_t)text.size;
  }
  return 0;
}

int row_encoding_decode(const row_encoding *encoding, int32_t index, const uint64_t *const *entries, int64_t n,
                        mm_column *column, mm_error *error) {
  const encoded_column *key = &encoding->columns[index];
  bool nulls = false;
  for (int64_t i = 0; i < n && !nulls; i++) nulls = entry_null(encoding, index, entries[i]);
  if (key->kind == TEXT) TRY(decode_text(key, entries, n, nulls, column, error));
  else TRY(column_make_result(column, key->type, n, nulls && key->kind != NOTHING, error));
  int32_t word = key->raw ? key->raw : key->word, shift = key->raw ? 0 : key->shift;
  void *data = (void *)column->data;
  int64_t width = mm_type_width(key->type);
  if (key->type.id == MM_BOOL)
    for (int64_t i = 0; i < n; i++) ((uint64_t *)data)[i >> 6] |= (entries[i][word] >> shift & 1) << (i & 63);
  else if (key->kind == HALF)
    for (int64_t i = 0; i < n; i++) {
      uint32_t bits = (uint32_t)(entries[i][word] >> shift);
      memcpy((uint8_t *)data + i * width, &bits, (size_t)width);
    }
  else if (key->kind == WORD)
    for (int64_t i = 0; i < n; i++) ((uint64_t *)data)[i] = entries[i][word];
  if (nulls && key->kind != NOTHING)
    for (int64_t i = 0; i < n; i++)
      if (entry_null(encoding, index, entries[i])) column_set_null(column, i);
  return 0;
}
