/* internal.h - what the files of core/ share and nobody else sees.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"
#include <assert.h>
#include <string.h>

/* ---- Errors ---- */

/* Is this an AddressSanitizer build? Then scratch memory has red zones and nothing is recycled. */
#if defined(__SANITIZE_ADDRESS__)
#define MM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MM_ASAN 1
#endif
#endif
#ifndef MM_ASAN
#define MM_ASAN 0
#endif

/* Forward a negative status. */
#define TRY(expr) \
  do { \
    int status_ = (expr); \
    if (status_ < 0) return status_; \
  } while (0)

/* No error, without touching the texts beyond their ends: an mm_error is two kilobytes, too much to clear for each
 * batch. */
static inline void mm_error_none(mm_error *error) {
  error->code = error->reserved = 0;
  error->stage = error->place = -1;
  error->row = -1;
  error->line = error->column = 0;
  error->id[0] = error->file[0] = error->field[0] = error->value[0] = '\0';
  error->message[0] = error->hint[0] = error->frames[0] = '\0';
}
enum { MM_MESSAGE_MOST = 400 }; /* bytes of the longest message; a longer one ends in "..." */
/* Fill in `error` (unless NULL) and return `code`; other fields become none. `id` is kebab-case. In the message
 * control characters are escaped. */
int mm_fail(mm_error *error, int code, const char *id, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same for a failed system call; `errnum` is positive; the message ends with its text. code MM_EIO. */
int mm_fail_io(mm_error *error, const char *file, int errnum, const char *what);
void mm_note_memory(mm_error *error, int64_t size);
/* Out of memory for `size` bytes. Inline, so that readers and analysers see that it is a failure. */
static inline int mm_fail_memory(mm_error *error, int64_t size) {
  mm_note_memory(error, size);
  return MM_ENOMEM;
}
/* The file of an error; a long path is cut at its front. It stays as it is: whoever shows it escapes it. */
void mm_error_path(mm_error *error, const char *path);
/* Copy text into a fixed field of an error, shortened with "..." where it does not fit; control characters escaped. */
void mm_error_text(char *field, int64_t size, const char *text, int64_t length);

/* ---- Memory: through the allocator and the budget ---- */

void *mm_allocate(int64_t size);                                        /* NULL: out of memory or budget */
void *mm_allocate_zero(int64_t size);
void *mm_resize(void *memory, int64_t old_size, int64_t new_size);      /* `memory` is kept on failure */
void  mm_release(void *memory, int64_t size);                           /* NULL is allowed */
bool  mm_memory_is_over(int64_t size);                                  /* would as many bytes more exceed the limit? */
char *mm_copy_text(const char *text);                                   /* release with mm_release(p, strlen(p) + 1) */
mm_block *mm_block_new_zero(int64_t size, mm_error *error);
int64_t mm_block_references(const mm_block *block);                     /* at this moment */

/* Bytes that never move and are freed together. All zero means empty. */
typedef struct mm_arena {
  mm_buffer chunks;  /* of mm_buffer */
  int64_t   current; /* chunk that gives bytes now */
} mm_arena;

uint8_t *mm_arena_take(mm_arena *arena, int64_t size); /* 8-byte aligned; NULL: out of memory */
void     mm_arena_reset(mm_arena *arena);              /* forget the bytes, keep the memory */
void     mm_arena_free(mm_arena *arena);

/* ---- The host's services ---- */

extern mm_allocator mm_host_allocator; /* for memory/alloc.c alone: everybody else allocates within the budget */
extern int mm_host_fill; /* for specs: a byte that memory is filled with before it is given out; 0: it is not */
void mm_host_trim(void); /* for memory/alloc.c: the C library gives back pages that it does not need */
extern mm_io mm_host_io;
extern mm_threads mm_host_threads;

/* ---- Tasks (engine/) ---- */

/* Run body(context, 0 .. count - 1) on the job's threads, the caller's among them, and wait. Tasks start in order; the
 * tasks of a task run on its thread alone. After a failure no further one starts, and the failure of the lowest task
 * wins. A cancelled job starts no task. For `finish` of a stage. */
int mm_parallel(mm_job *job, int64_t count, int (*body)(void *context, int64_t task, mm_error *error), void *context,
                mm_error *error);

/* ---- Bitmaps: bit i of word i / 64, least significant first ---- */

static inline int64_t mm_words(int64_t bits) { return (bits + 63) >> 6; }
static inline bool mm_bit(const uint64_t *bits, int64_t i) { return bits[i >> 6] >> (i & 63) & 1; }
static inline void mm_bit_set(uint64_t *bits, int64_t i) { bits[i >> 6] |= UINT64_C(1) << (i & 63); }
static inline void mm_bit_clear(uint64_t *bits, int64_t i) { bits[i >> 6] &= ~(UINT64_C(1) << (i & 63)); }
int64_t mm_bits_count(const uint64_t *bits, int64_t n);                 /* set bits among the first n */
/* n bits from bit `start` of bytes to bit 0 of `to`; the rest of the last word becomes 0. Reads no byte beyond the last
 * bit. */
void mm_bits_copy(uint64_t *to, const void *from, int64_t start, int64_t n);
/* n bits of `from` to bit `at` of `to`. */
void mm_bits_put(uint64_t *to, int64_t at, const uint64_t *from, int64_t n);
/* Set the first n, clear the rest of the last word. */
void mm_bits_fill(uint64_t *bits, int64_t n);
bool mm_bits_all(const uint64_t *bits, int64_t n);                      /* the first n are all set */

/* ---- Types: one table ---- */

/* X(ENUM, suffix, C type, Arrow format) */
#define MM_INTEGERS(X) \
  X(I8, i8, int8_t, "c") X(I16, i16, int16_t, "s") X(I32, i32, int32_t, "i") X(I64, i64, int64_t, "l") \
  X(U8, u8, uint8_t, "C") X(U16, u16, uint16_t, "S") X(U32, u32, uint32_t, "I") X(U64, u64, uint64_t, "L")
#define MM_FLOATS(X) X(F32, f32, float, "f") X(F64, f64, double, "g")
#define MM_NUMBERS(X) MM_INTEGERS(X) MM_FLOATS(X)

static inline bool mm_is_text(int id) { return id == MM_UTF8 || id == MM_BINARY; }
static inline bool mm_is_float(int id) { return id == MM_F32 || id == MM_F64; }
static inline bool mm_is_signed(int id) { return id >= MM_I8 && id <= MM_I64; }
static inline bool mm_is_unsigned(int id) { return id >= MM_U8 && id <= MM_U64; }
/* The type whose C representation a type shares: date -> i32, timestamp and duration -> i64, binary -> utf8. */
int mm_storage(int id);

/* What `data` of an MM_OPAQUE column shows: a foreign array from row `start` on. `offsets_block` keeps the array
 * alive. */
typedef struct mm_opaque { const struct ArrowArray *array; int64_t start; } mm_opaque;

/* ---- Hashes ---- */

uint64_t mm_hash_bytes(const void *bytes, int64_t size, uint64_t seed); /* XXH3 */
static inline uint64_t mm_hash_u64(uint64_t x) { /* murmur3's finaliser */
  x ^= x >> 33; x *= UINT64_C(0xff51afd7ed558ccd); x ^= x >> 33; x *= UINT64_C(0xc4ceb9fe1a85ec53);
  return x ^ x >> 33;
}

/* ---- Text and numbers (text/): no locale, no allocation. Loops over many short numbers inline text/quick.h ---- */

/* Parse the whole text (no surrounding blanks). 0: done; 1: not a number of this form; 2: out of range.
 * Integers: optional sign, digits. Floats: decimal or exponent form, inf, nan, any letter case; correctly rounded. */
int mm_parse_i64(const char *text, int64_t size, int64_t *value);
int mm_parse_u64(const char *text, int64_t size, uint64_t *value);
int mm_parse_f64(const char *text, int64_t size, double *value);
int mm_parse_f32(const char *text, int64_t size, float *value);
int mm_parse_bool(const char *text, int64_t size, bool *value);         /* true false (any case) */
int mm_parse_date(const char *text, int64_t size, int32_t *days);       /* YYYY-MM-DD */
/* YYYY-MM-DD, then T or a blank, HH:MM[:SS[.fraction]], then nothing, Z or +HH:MM; or the date alone. 2 also when
 * digits of the fraction would be lost in `unit`. */
int mm_parse_timestamp(const char *text, int64_t size, int unit, int64_t *value);
/* ISO 8601 without years and months: PT1H30M, -P1DT0.5S. */
int mm_parse_duration(const char *text, int64_t size, int unit, int64_t *value);
/* Shortest text that reads back to the same value; a float always has a point or an exponent. Returns the length, at
 * most 40. */
int mm_format_i64(char *text, int64_t value);
int mm_format_u64(char *text, uint64_t value);
int mm_format_f64(char *text, double value);
int mm_format_f32(char *text, float value);
int mm_format_date(char *text, int32_t days);                           /* ISO 8601 */
/* 2013-01-01T10:00:00, fraction only when not zero. */
int mm_format_timestamp(char *text, int64_t value, int unit);
int mm_format_duration(char *text, int64_t value, int unit);            /* ISO 8601: PT1H30M */
/* Civil date of days since 1970-01-01, proleptic Gregorian, and back. */
void    mm_civil(int64_t days, int64_t *year, int *month, int *day);
int64_t mm_days(int64_t year, int month, int day);


/* ---- Vector kernels (vector/, text/) ---- */

/* A text value within a vector: its bytes are borrowed from a column, a constant or the frame's arena. */
typedef struct mm_view { const uint8_t *bytes; int64_t size; } mm_view;

/* One register during a run. Values of `data`: the type's C representation; bool: a bitmap; text: mm_view.
 * Lanes that are null, not selected or failed hold anything, but safe views. Data is 64-byte aligned. */
typedef struct mm_vector {
  void     *data;
  uint64_t *valid; /* NULL: no nulls */
} mm_vector;

/* What a kernel may use besides its operands. */
typedef struct mm_lanes {
  int32_t         n;      /* lanes, at least 1; at most MM_VECTOR where a lane may fail or the operation has a null rule
                           * of its own. Buffers may be read and written up to the next multiple of 64 */
  uint64_t       *bad;    /* bitmap of MM_VECTOR failed lanes, zero on entry; NULL in a plain run, where none may fail */
  mm_arena       *arena;  /* of the frame: bytes for text results, which live until the vector is done */
  const mm_instr *instr;
  const mm_value *constants;
  const mm_type  *types;  /* of all registers: units and zones */
  const void     *state;  /* what the operation prepared when the program was built (the set of IN) */
  const uint64_t *selected; /* lanes that matter; NULL: all. Costly kernels may skip the others */
} mm_lanes;

static inline uint8_t *mm_lanes_bytes(mm_lanes *lanes, int64_t size) { return mm_arena_take(lanes->arena, size); }

/* Mark the failed lanes of word w. The only way to write lanes->bad: a plain run has longer vectors than the bitmap, and
 * is only for programs that cannot fail. */
static inline void mm_lanes_fail(mm_lanes *lanes, int64_t w, uint64_t failed) {
  assert(lanes->bad && w < MM_VECTOR / 64);
  lanes->bad[w] |= failed;
}
static inline void mm_lane_fail(mm_lanes *lanes, int64_t i) { mm_lanes_fail(lanes, i >> 6, UINT64_C(1) << (i & 63)); }

/* A kernel computes all n lanes of dst. When the op's rule is strict, dst->valid has been set (AND of the operands')
 * and the kernel leaves it alone; else it must set *dst->valid itself (dst->valid points to room for a bitmap, or is
 * set to NULL). Returns 0, or 1 when lanes failed (see mm_lanes_fail; null and unselected ones may be marked too),
 * or a status. */
typedef int (*mm_kernel)(mm_lanes *lanes, mm_vector *dst, const mm_vector *a, const mm_vector *b, const mm_vector *c);

/* Kernels by operation. A lookup returns NULL when there is none for the types (ids, by mm_storage where that is
 * enough). */
/* text/: CONCAT..REPEAT, EQ.. IN of text, YEAR..HASH, casts from and to text and time. */
mm_kernel mm_text_kernel(int op, int type, int type2, int mode);
/* text/: EQ, NE of text whose b is the same in all lanes. */
mm_kernel mm_text_equal_constant(int op, int type, int type2);
mm_kernel mm_number_kernel(int op, int type, int type2, int mode); /* vector/: all others, chosen by instruction set */

/* The set of IN on text: the constants that are not null, whose bytes it borrows. It becomes lanes->state. NULL: out of
 * memory. */
const void *mm_text_in_prepare(const mm_value *constants, int32_t count);
void        mm_text_in_release(const void *set); /* NULL is allowed */

/* Selected rows of a value array to the front of `to`; returns how many. By width in bytes (1 2 4 8 16). */
int64_t mm_compress(void *to, const void *from, const uint64_t *selected, int64_t n, int64_t width);
int64_t mm_compress_bits(uint64_t *to, int64_t at, const uint64_t *from, const uint64_t *selected, int64_t n);

/* Zero in the lanes of whole words that are null: what stood there before is no part of a result. By width in bytes (1 2 4
 * 8), 0 for bits. */
void mm_blank_nulls(void *values, const uint64_t *valid, int64_t words, int64_t width);

/* ---- Reducing ---- */

/* Rows start .. start + n - 1 of a column to one value, nulls left out. Of numbers and bools; for others mm_..._of is
 * NULL. */

/* Sums, added to what `sums` holds: floats to MM_LANES doubles, value start + i to lane i mod MM_LANES; whole numbers
 * and bools to an mm_whole. */
enum { MM_LANES = 8 };
typedef struct mm_whole { int64_t low, high; } mm_whole; /* low + high * 2^32 */
typedef void (*mm_adder)(void *sums, const void *values, const uint64_t *valid, int64_t start, int64_t n);
mm_adder mm_adder_of(int type);

/* The greatest value, or the least, in the one order of values, to `bound`, a value of the type (a bool: a word). Some
 * row is not null. */
typedef void (*mm_bounder)(void *bound, const void *values, const uint64_t *valid, int64_t start, int64_t n,
                           bool least);
mm_bounder mm_bounder_of(int type);

/* How many values, and the sums of their distances from the first one, and of those squared, added to what `moments`
 * holds. In lanes as above. */
typedef struct mm_moments {
  int64_t count[MM_LANES];
  double  center[MM_LANES], sum[MM_LANES], squares[MM_LANES]; /* center: the first value */
} mm_moments;
typedef void (*mm_measurer)(mm_moments *moments, const void *values, const uint64_t *valid, int64_t start, int64_t n);
mm_measurer mm_measurer_of(int type);

/* Which of n values have a place in the one order of values up to `limit`, a bit each; words are written whole. A place
 * is a whole number of the size of the type: signed numbers are their own, of others they are shifted, NaN has the last
 * one. `reverse`: of the reverse order, in which place p is ~p. */
typedef void (*mm_sifter)(uint64_t *passed, const void *values, int64_t n, int64_t limit, bool reverse);
mm_sifter mm_sifter_of(int type);

/* Views of n texts between offsets[0] and offsets[n]. */
void mm_texts_view(mm_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n);
bool mm_bytes_ascii(const uint8_t *bytes, int64_t n);
/* The size of each of n texts (n > 0) when they are all alike, as codes are; else -1. */
int32_t mm_texts_size(const int32_t *offsets, int64_t n);

/* ---- Comparing and picking rows (types/) ---- */

/* The one order of values: -inf < -0 = +0 < inf < NaN < null, text by bytes. As for sort keys: <0, 0, >0. */
int  mm_column_compare(const mm_column *a, int64_t i, const mm_column *b, int64_t j);
static inline bool mm_is_null(const mm_column *column, int64_t row) {
  return column->type.id == MM_NULL || (column->valid && !mm_bit(column->valid, row));
}

/* A row of one of several columns. */
typedef struct mm_pick { int32_t part, row; } mm_pick;
/* Column made of picked rows of parts of equal type, in the order of `picks`. Copies. */
int mm_column_gather(mm_column *to, const mm_column *const *parts, int64_t part_count, const mm_pick *picks,
                     int64_t count, mm_error *error);
/* Batch of picked rows of batches of one schema. */
int mm_batch_gather(mm_batch *to, const mm_batch *from, int64_t batches, const mm_pick *picks, int64_t count,
                    mm_error *error);
