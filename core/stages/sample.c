/* sample.c - rows by chance: what a row draws follows from a seed and its number in the segment's input, so that
 * threads and batches do not matter.
 *
 * DESIGN. The draw is the output of splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
 * 2014) at the row's place in the sequence of the seed. The stage that keeps a share compares it with a bound; the
 * other one shows it as a column, for a limit in its order.
 *
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/bitmap.h"
#include "base/error.h"
#include "stage.h"
#include <math.h>
#include <string.h>

typedef struct sample_stage {
  mm_stage base;
  uint64_t seed;
  uint64_t bound; /* of a share: rows that draw less are kept */
} sample_stage;

static uint64_t draw_number(uint64_t seed, int64_t row) {
  uint64_t z = seed + ((uint64_t)row + 1) * UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* ---- A share ---- */

static int share_run(mm_stage *base, void *local, const mm_batch *in, mm_batch *out, mm_error *error) {
  const sample_stage *stage = (const sample_stage *)base;
  (void)local;
  int64_t size = bit_words(in->length) * (int64_t)sizeof(uint64_t), count = 0;
  uint64_t *selected = memory_allocate_zero(size);
  if (!selected) return error_fail_memory(error, size);
  for (int64_t i = 0; i < in->length; i++) {
    if (draw_number(stage->seed, mm_batch_row(in, i)) >= stage->bound) continue;
    bit_set(selected, i);
    count++;
  }
  int status = mm_batch_filter(out, in, selected, count, base->track_rows, error);
  memory_release(selected, size);
  return status;
}

static void sample_free(mm_stage *base) {
  mm_schema_free(&base->out);
  memory_release(base, sizeof(sample_stage));
}

static mm_stage *new_stage(const mm_stage_class *vtable, uint64_t seed, mm_error *error) {
  sample_stage *stage = memory_allocate_zero(sizeof *stage);
  if (!stage) {
    error_fail_memory(error, sizeof *stage);
    return NULL;
  }
  stage->base = (mm_stage){.vtable = vtable, .flags = vtable->flags};
  stage->seed = seed;
  return &stage->base;
}

static mm_stage *share_copy(const mm_stage *base, mm_error *error);

static const mm_stage_class share_class = {.name = "sample",
                                           .flags = MM_STAGE_CAN_FAIL, /* for the numbers of rows */
                                           .run = share_run,
                                           .free = sample_free,
                                           .copy = share_copy};

static mm_stage *share_copy(const mm_stage *base, mm_error *error) {
  const sample_stage *from = (const sample_stage *)base;
  mm_stage *made = new_stage(&share_class, from->seed, error);
  if (made) ((sample_stage *)made)->bound = from->bound;
  return made;
}

mm_stage *mm_stage_sample(double share, uint64_t seed, mm_error *error) {
  if (!(share > 0 && share < 1)) {
    error_fail(error, MM_EUSAGE, "bad-share", "sample: the share is %g, expected a number between 0 and 1", share);
    return NULL;
  }
  mm_stage *made = new_stage(&share_class, seed, error);
  if (made) ((sample_stage *)made)->bound = (uint64_t)ldexp(share, 64);
  return made;
}

/* ---- Draws as a column ---- */

static int draw_run(mm_stage *base, void *local, const mm_batch *in, mm_batch *out, mm_error *error) {
  const sample_stage *stage = (const sample_stage *)base;
  (void)local;
  TRY(mm_batch_resize(out, in->count + 2, error));
  memcpy(out->columns, in->columns, (size_t)in->count * sizeof *in->columns);
  for (int32_t i = 0; i < in->count; i++) mm_column_retain(&out->columns[i]);
  out->length = in->length;
  out->row = in->row;
  out->origin = in->origin;
  out->origin_block = in->origin_block;
  mm_block_retain(out->origin_block);
  mm_column *drawn = &out->columns[in->count], *number = drawn + 1;
  TRY(mm_column_make(drawn, (mm_type){.id = MM_U64}, in->length, 0, false, error));
  TRY(mm_column_make(number, (mm_type){.id = MM_I64}, in->length, 0, false, error));
  for (int64_t i = 0; i < in->length; i++) {
    int64_t row = mm_batch_row(in, i);
    ((uint64_t *)drawn->data)[i] = draw_number(stage->seed, row);
    ((int64_t *)number->data)[i] = row;
  }
  return 0;
}

static int32_t draw_shares(const mm_stage *base, int32_t column) { return column < base->out.count - 2 ? column : -1; }

static mm_stage *draw_copy(const mm_stage *base, mm_error *error) {
  return mm_stage_draw(((const sample_stage *)base)->seed, &base->out, error);
}

static const mm_stage_class draw_class = {.name = "draw",
                                          .flags = MM_STAGE_CAN_FAIL | MM_STAGE_KEEPS_ROWS,
                                          .run = draw_run,
                                          .free = sample_free,
                                          .copy = draw_copy,
                                          .shares = draw_shares};

mm_stage *mm_stage_draw(uint64_t seed, const mm_schema *out, mm_error *error) {
  mm_stage *made = new_stage(&draw_class, seed, error);
  if (!made || mm_schema_copy(&made->out, out, error) >= 0) return made;
  sample_free(made);
  return NULL;
}
