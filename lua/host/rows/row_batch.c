/* row_batch.c - what the loops of row functions leave to C: picked rows, the check of text and of NaNs.
 * SPDX-License-Identifier: MIT */
#include "rows/rows.h"
#include "state/state.h"
#include <math.h>
#include <string.h>

/* All texts at once, then: is a character cut in two by the end of a text? */
int64_t mm_rows_invalid_text(const int32_t *offsets, const uint8_t *bytes, int64_t n) {
  int64_t invalid = mm_utf8_invalid(bytes, offsets[n]);
  int64_t valid = invalid < 0 ? offsets[n] : invalid;
  int64_t last = 0; /* the text that the byte before text i belongs to */
  for (int64_t i = 0; i < n; i++) {
    if (offsets[i + 1] == offsets[i]) continue;
    if (offsets[i] < valid && (bytes[offsets[i]] & 0xC0) == 0x80) return last;
    if (offsets[i + 1] > valid) return i;
    last = i;
  }
  return -1;
}

#ifdef __x86_64__
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

/* LuaJIT notes a value's type in the bits of a NaN, and takes what it reads from C as it is. A NaN is odd when
 * arithmetic could make a type of it: one of the three bits behind the quiet bit is set. With all but these and the
 * exponent masked, the bits of any other value are at most those of infinity, so an addition tells by the sign. */
typedef uint64_t lanes64 __attribute__((vector_size(32), aligned(8)));
typedef uint32_t lanes32 __attribute__((vector_size(32), aligned(4)));
static const uint64_t odd_f64 = 0x7ff7000000000000, above_f64 = INT64_MAX - UINT64_C(0x7ff0000000000000);
static const uint32_t odd_f32 = 0x7fb80000, above_f32 = INT32_MAX - UINT32_C(0x7f800000);

WIDE static bool has_odd_f64(const uint64_t *bits, int64_t n) {
  lanes64 found = {0};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) found |= (*(const lanes64 *)(const void *)(bits + i) & odd_f64) + above_f64;
  uint64_t any = found[0] | found[1] | found[2] | found[3];
  for (; i < n; i++) any |= (bits[i] & odd_f64) + above_f64;
  return any >> 63 != 0;
}

WIDE static bool has_odd_f32(const uint32_t *bits, int64_t n) {
  lanes32 found = {0};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) found |= (*(const lanes32 *)(const void *)(bits + i) & odd_f32) + above_f32;
  uint32_t any = 0;
  for (int k = 0; k < 8; k++) any |= found[k];
  for (; i < n; i++) any |= (bits[i] & odd_f32) + above_f32;
  return any >> 31 != 0;
}

bool mm_rows_odd_nan(const void *values, int64_t n, bool single) {
  return single ? has_odd_f32(values, n) : has_odd_f64(values, n);
}

/* Compared with itself a lane is all ones, but for NaN. */
WIDE static void plain_f64(double *values, int64_t n) {
  typedef double lanes __attribute__((vector_size(32), aligned(8)));
  lanes64 found = {0};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    lanes x = *(const lanes *)(const void *)(values + i);
    found |= (lanes64)(x != x);
  }
  bool any = (found[0] | found[1] | found[2] | found[3]) != 0;
  for (; i < n; i++) any |= isnan(values[i]);
  for (i = 0; i < n && any; i++) values[i] = isnan(values[i]) ? (double)NAN : values[i];
}

WIDE static void plain_f32(float *values, int64_t n) {
  typedef float lanes __attribute__((vector_size(32), aligned(4)));
  lanes32 found = {0};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    lanes x = *(const lanes *)(const void *)(values + i);
    found |= (lanes32)(x != x);
  }
  bool any = false;
  for (int k = 0; k < 8; k++) any |= found[k] != 0;
  for (; i < n; i++) any |= isnan(values[i]);
  for (i = 0; i < n && any; i++) values[i] = isnan(values[i]) ? (float)NAN : values[i];
}

void mm_rows_plain_nan(void *values, int64_t n, bool single) {
  if (single) plain_f32(values, n);
  else plain_f64(values, n);
}

int mm_rows_share(const mm_batch *in, int32_t extra, mm_batch *out, mm_error *error) {
  int status = mm_batch_resize(out, in->count + extra, error);
  if (status < 0) return status;
  for (int32_t i = 0; i < in->count; i++) {
    out->columns[i] = in->columns[i];
    mm_column_retain(&out->columns[i]);
  }
  out->length = in->length;
  out->row = in->row;
  out->origin = in->origin;
  out->origin_block = in->origin_block;
  mm_block_retain(out->origin_block);
  return 0;
}

/* The numbers of the rows that are kept. */
static int list_kept(const uint8_t *keep, int64_t n, mm_buffer *index, mm_error *error) {
  int status = mm_buffer_reserve(index, (n + 1) * 8, error);
  if (status < 0) return status;
  int64_t *rows = (int64_t *)(void *)index->data, count = 0;
  for (int64_t i = 0; i < n; i++) {
    rows[count] = i;
    count += keep[i];
  }
  index->size = count * 8;
  return 0;
}

int mm_rows_keep(const mm_batch *in, const uint8_t *keep, int64_t n, bool track, mm_batch *out, mm_error *error) {
  mm_buffer index = {0};
  int status = list_kept(keep, n, &index, error);
  int64_t count = index.size / 8;
  if (status >= 0 && count == in->length) status = mm_rows_share(in, 0, out, error);
  else if (status >= 0 && count > 0)
    status = mm_batch_take(out, in, (const int64_t *)(const void *)index.data, count, track, error);
  mm_buffer_free(&index);
  return status;
}
