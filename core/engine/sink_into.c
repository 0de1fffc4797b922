/* sink_into.c - the sink that writes rows into memory of the caller.
 *
 * DESIGN. Rows keep their numbers from the input to here, so a batch knows where it belongs, and morsels are written in
 * any order; as they begin at multiples of 64 rows they share no word of a bitmap. Where it is safe, the stage before
 * computes its fixed-width columns right there (into_aim); then there is nothing left to copy.
 *
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/bitmap.h"
#include "base/error.h"
#include "stage.h"
#include "types/type.h"
#include <string.h>

typedef struct into_sink {
  mm_stage base;
  mm_column *to;
  int32_t count;
  bool in_place;
  mm_schema in; /* for messages */
} into_sink;

static int into_bind(mm_stage *stage, const mm_schema *in, mm_error *error) {
  into_sink *sink = (into_sink *)stage;
  if (in->count != sink->count)
    return error_fail(error, MM_EUSAGE, "bad-out", "the result has %d columns, there is room for %d", in->count,
                      sink->count);
  for (int32_t i = 0; i < in->count; i++) {
    const mm_field *field = &in->fields[i];
    char wanted[64], given[64];
    if (!sink->to[i].data) continue;
    if (type_is_text(field->type.id) || field->type.id == MM_OPAQUE || field->type.id == MM_NULL)
      return error_fail(error, MM_EUSAGE, "bad-out", "column \"%s\" is %s, which has no place of fixed width",
                        field->name, mm_type_name(field->type, given, sizeof given));
    if (type_storage(field->type.id) != type_storage(sink->to[i].type.id))
      return error_fail(error, MM_EUSAGE, "bad-out", "column \"%s\" is %s, the memory for it is %s", field->name,
                        mm_type_name(field->type, given, sizeof given),
                        mm_type_name(sink->to[i].type, wanted, sizeof wanted));
  }
  return mm_schema_copy(&sink->in, in, error);
}

/* A null has no place: its row is an error. */
static int refuse_null(const into_sink *sink, int32_t column, const mm_batch *in, mm_error *error) {
  const mm_column *from = &in->columns[column];
  int64_t row = 0;
  while (row < from->length && bit_get(from->valid, row)) row++;
  const char *name = sink->in.fields[column].name;
  error_fail(error, MM_EDATA, "null-out", "column \"%s\" is null, the memory for it has no place for nulls", name);
  if (error) {
    error->row = mm_batch_row(in, row);
    error_copy_text(error->field, sizeof error->field, name, (int64_t)strlen(name));
  }
  return MM_EDATA;
}

/* Bits of `from` (NULL: all set) from bit `at` of `to` on. Batches of a chunked input begin anywhere. */
static void put_bits(const void *to, int64_t at, const void *from, int64_t n) {
  uint64_t *bits = (uint64_t *)(uintptr_t)to, some[16];
  for (int64_t start = 0; start < n; start += 1024) {
    int64_t count = n - start < 1024 ? n - start : 1024;
    if (from) bits_copy(some, from, start, count);
    else bits_fill(some, count);
    bits_put(bits, at + start, some, count);
  }
}

static int into_run(mm_stage *stage, void *local, const mm_batch *in, mm_batch *out, mm_error *error) {
  const into_sink *sink = (const into_sink *)stage;
  (void)local, (void)out;
  for (int32_t i = 0; i < sink->count; i++) {
    const mm_column *to = &sink->to[i], *from = &in->columns[i];
    if (!to->data) continue;
    if (in->row + in->length > to->length)
      return error_fail(error, MM_EBUG, "bad-out", "row %lld comes, there is room for %lld",
                        (long long)in->row + in->length, (long long)to->length);
    if (from->valid && !to->valid && mm_column_null_count(from) > 0) return refuse_null(sink, i, in, error);
  }
  for (int32_t i = 0; i < sink->count; i++) {
    const mm_column *to = &sink->to[i], *from = &in->columns[i];
    if (!to->data) continue;
    if (to->valid) put_bits(to->valid, in->row, from->valid, in->length);
    int64_t width = mm_type_width(to->type);
    uint8_t *data = (uint8_t *)(uintptr_t)to->data;
    if (to->type.id == MM_BOOL) put_bits(data, in->row, from->data, in->length);
    else if (data + in->row * width != from->data)
      memcpy(data + in->row * width, from->data, (size_t)(in->length * width));
  }
  return 0;
}

static int into_cut(mm_stage *stage, void *local, void **partial, mm_error *error) {
  (void)stage, (void)local, (void)partial, (void)error;
  return 0;
}
static int into_fold(mm_stage *stage, void *partial, mm_error *error) {
  (void)stage, (void)partial, (void)error;
  return 0;
}
static void into_drop(mm_stage *stage, void *partial) { (void)stage, (void)partial; }
static int into_finish(mm_stage *stage, mm_job *job, mm_table *out, mm_error *error) {
  (void)stage, (void)job, (void)out, (void)error;
  return 0;
}

/* In place a stage may only write what it has read: one column, and only if nothing can go wrong after it was
 * written. */
static void into_aim(mm_stage *stage, mm_stage *before, int32_t flags) {
  const into_sink *sink = (const into_sink *)stage;
  int32_t written = 0;
  for (int32_t i = 0; i < sink->count; i++) written += sink->to[i].data != NULL;
  bool fails = (flags & MM_STAGE_CAN_FAIL) || !(flags & MM_STAGE_KEEPS_ROWS);
  if (sink->in_place && (fails || written != 1)) return;
  before->to = sink->to;
  before->to_count = sink->count;
}

static void into_free(mm_stage *stage) {
  into_sink *sink = (into_sink *)stage;
  mm_schema_free(&sink->in);
  memory_release(sink->to, (sink->count + 1) * (int64_t)sizeof *sink->to);
  memory_release(sink, sizeof *sink);
}

/* It can fail, so that batches know their rows. */
static const mm_stage_class into_class = {.name = "into",
                                          .flags = MM_STAGE_BREAKER | MM_STAGE_CAN_FAIL | MM_STAGE_POSITIONAL
                                                   | MM_STAGE_NO_RETAIN,
                                          .bind = into_bind,
                                          .run = into_run,
                                          .cut = into_cut,
                                          .fold = into_fold,
                                          .drop = into_drop,
                                          .finish = into_finish,
                                          .aim = into_aim,
                                          .free = into_free};

mm_stage *mm_sink_into(const mm_column *to, int32_t count, bool in_place, mm_error *error) {
  into_sink *sink = memory_allocate_zero(sizeof *sink);
  if (sink) sink->to = memory_allocate_zero((count + 1) * (int64_t)sizeof *to);
  if (!sink || !sink->to) {
    memory_release(sink, sizeof *sink);
    error_fail_memory(error, count * (int64_t)sizeof *to);
    return NULL;
  }
  sink->base.vtable = &into_class;
  sink->base.flags = into_class.flags | (in_place ? MM_STAGE_ATOMIC_BATCH : 0);
  sink->in_place = in_place;
  sink->count = count;
  if (count) memcpy(sink->to, to, (size_t)count * sizeof *to);
  return &sink->base;
}
