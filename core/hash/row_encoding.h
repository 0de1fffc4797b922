/* row_encoding.h - the keys of a row as 64-bit words, so that comparing keys of any types is comparing words.
 *
 *   entry: | hash | compared words ... | raw bits of floats ... |
 *
 * Values of up to 32 bits take half a word, others one, text two: up to 15 bytes in place and the size in the top byte,
 * else a pointer and the size. Two or more columns have null bits in words of their own; a single column marks null
 * within its words, or, when all its words are taken, by a hash that the word cannot have. Floats compare as canonical
 * bits (-0 as 0, one NaN) and keep the bits of the first value aside.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

typedef struct encoded_column {
  mm_type type;
  int32_t kind;  /* KEY_* of row_encoding.c */
  int32_t word;  /* of the entry; text: the first of two */
  int32_t shift; /* 0 or 32 */
  int32_t raw;   /* word of the raw bits of a float, else 0 */
} encoded_column;

typedef struct row_encoding {
  encoded_column *columns;
  int32_t count;
  int32_t words;  /* that are compared, after the hash */
  int32_t stride; /* words of an entry */
  int32_t nulls;  /* word of the first null bits, 0: none */
  bool text;      /* some column is text */
} row_encoding;

/* Lay out keys of these types, none opaque; `nulls` false: the values are known not to be null. */
int row_encoding_init(row_encoding *encoding, const mm_type *types, int32_t count, bool nulls, mm_error *error);
/* Lay out columns of a schema, for entries that are only compared: the raw bits of floats are left out. */
int row_encoding_init_keys(row_encoding *encoding, const mm_schema *schema, const int32_t *columns, int32_t count,
                           mm_error *error);
void row_encoding_free(row_encoding *encoding);
/* The words of one column of rows [start, start + n), column by column in order. Long text still points into the
 * column. */
void row_encoding_encode(const row_encoding *encoding, int32_t index, const mm_column *column, int64_t start, int64_t n,
                         uint64_t *entries);
/* Then the hashes; `first` is the first column. */
void row_encoding_complete(const row_encoding *encoding, const mm_column *first, int64_t start, int64_t n,
                           uint64_t *entries);
/* Only the hashes, of entries of layouts without nulls. */
void row_encoding_hash(const row_encoding *encoding, uint64_t *entries, int64_t n);
/* The bytes of a value that is not null, in place: of text, or as many as the type is wide, one of a bool. */
const uint8_t *row_encoding_value(const row_encoding *encoding, int32_t index, const uint64_t *entry, int64_t *size);
/* The column `index` of n entries. */
int row_encoding_decode(const row_encoding *encoding, int32_t index, const uint64_t *const *entries, int64_t n,
                        mm_column *column, mm_error *error);

/* Long text: the second word has this top byte above the size. */
static inline bool key_is_long(uint64_t second) { return second >> 56 == 0xff; }
static inline int64_t key_size(uint64_t second) { return (int64_t)(second & UINT64_C(0xffffffffffffff)); }
