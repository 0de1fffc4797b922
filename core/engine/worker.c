/* worker.c - one worker's way of carrying a morsel from the source through a segment's stages.
 * SPDX-License-Identifier: MIT */
#include "engine/worker.h"
#include "base/alloc.h"
#include "base/error.h"
#include <stdatomic.h>

int worker_open(worker *w, mm_job *job, mm_error *error) {
  const segment *s = &job->segment;
  int64_t count = s->breaker - s->first + 1;
  *w = (worker){.job = job};
  w->locals = memory_allocate_zero(count * (int64_t)sizeof *w->locals);
  w->batches = memory_allocate_zero(count * (int64_t)sizeof *w->batches);
  w->counted = memory_allocate_zero(2 * count * (int64_t)sizeof *w->counted);
  if (!w->locals || !w->batches || !w->counted) return error_fail_memory(error, count * (int64_t)sizeof *w->batches);
  if (s->source->vtable->open) TRY(s->source->vtable->open(s->source, &w->source_local, error));
  w->source_opened = true;
  for (int32_t i = 0; i < count; i++) {
    mm_stage *stage = job->stages[s->first + i];
    int status = stage->vtable->open ? stage->vtable->open(stage, job, &w->locals[i], error) : 0;
    if (status < 0) {
      if (error) error->stage = s->first + i;
      return status;
    }
    w->opened = i + 1;
  }
  return 0;
}

void worker_close(worker *w) {
  const segment *s = &w->job->segment;
  int64_t count = s->breaker - s->first + 1;
  /* Batches first: a stage that closes may own what they show. */
  if (w->batches)
    for (int64_t i = 0; i < count; i++) mm_batch_free(&w->batches[i]);
  for (int32_t i = 0; i < w->opened; i++) {
    mm_stage *stage = w->job->stages[s->first + i];
    if (stage->vtable->close) stage->vtable->close(stage, w->locals[i]);
  }
  if (w->source_opened && s->source->vtable->close) s->source->vtable->close(s->source, w->source_local);
  memory_release(w->locals, count * (int64_t)sizeof *w->locals);
  memory_release(w->batches, count * (int64_t)sizeof *w->batches);
  memory_release(w->counted, 2 * count * (int64_t)sizeof *w->counted);
}

/* Keep the failure of the lowest row; of equal rows the first one seen, which is that of the lower stage. */
static void note_failure(worker *w, const mm_error *error, int64_t row, int32_t stage) {
  if (w->failure.code && row >= w->failed_row) return;
  w->failure = *error;
  w->failure.stage = stage;
  w->failed_row = row;
}

static int64_t rows_of(const mm_batch *batch) { return batch->selected ? batch->passed : batch->length; }

/* A stage cuts off the rows from its failure on; those before it go on, because a later stage may fail at an even lower
 * row. */
static void push(worker *w, int32_t i, const mm_batch *in) {
  const segment *s = &w->job->segment;
  int32_t index = s->first + i;
  mm_stage *stage = w->job->stages[index];
  bool breaks = index == s->breaker;
  if (breaks && w->failure.code && stage->flags & MM_STAGE_ATOMIC_BATCH) return;
  mm_batch *out = breaks ? NULL : &w->batches[i + 1];
  int status;
  w->counted[2 * i] += rows_of(in);
  do {
    mm_error error;
    error_clear(&error);
    status = stage->vtable->run(stage, w->locals[i], in, out, &error);
    if (status < 0) note_failure(w, &error, error.row >= 0 ? error.row : mm_batch_row(in, 0), index);
    if (breaks) continue;
    if (rows_of(out) > 0) {
      w->counted[2 * i + 1] += rows_of(out);
      push(w, i + 1, out);
    }
    mm_batch_resize(out, 0, NULL);
  } while (status > 0);
}

static void count_rows(worker *w, int64_t rows) {
  const segment *s = &w->job->segment;
  for (int32_t i = 0; i <= s->breaker - s->first; i++) {
    _Atomic int64_t *total = &w->job->stage_rows[2 * (s->first + i)];
    atomic_fetch_add_explicit(&total[0], w->counted[2 * i], memory_order_relaxed);
    atomic_fetch_add_explicit(&total[1], w->counted[2 * i + 1], memory_order_relaxed);
    w->counted[2 * i] = w->counted[2 * i + 1] = 0;
  }
  atomic_fetch_add_explicit(&w->job->morsels, (rows + MM_MORSEL - 1) / MM_MORSEL, memory_order_relaxed);
}

/* Load and push the piece's batches until it is used up, or fails, or the job is cancelled. Returns the rows loaded. */
static int64_t stream(worker *w, int64_t start, void *piece) {
  mm_job *job = w->job;
  mm_source *source = job->segment.source;
  mm_batch *batch = &w->batches[0];
  int64_t row = start;
  for (int status = 1; status > 0 && !w->failure.code;) {
    int32_t cancel = atomic_load_explicit(&job->cancel, memory_order_relaxed);
    mm_error error;
    error_clear(&error);
    if (cancel) {
      error_fail(&error, cancel, "cancelled", "the job was cancelled");
      note_failure(w, &error, row, -1);
      break;
    }
    status = source->vtable->load(source, w->source_local, piece, job->segment.batch_rows, batch, &error);
    batch->row = row;
    if (status < 0) {
      int64_t at = row + (error.row >= 0 ? error.row : batch->length);
      if (error.row >= 0) error.row = at;
      note_failure(w, &error, at, -1);
    }
    row += batch->length;
    if (job->segment.first == 0) atomic_fetch_add_explicit(&job->rows, batch->length, memory_order_relaxed);
    if (batch->length > 0) push(w, 0, batch);
    mm_batch_resize(batch, 0, NULL);
  }
  return row - start;
}

void *worker_piece(worker *w, int64_t number, void *piece) {
  const segment *s = &w->job->segment;
  mm_stage *breaker = w->job->stages[s->breaker];
  int64_t start = number * s->piece_rows;
  void *partial = NULL;
  mm_error error;
  error_clear(&error);
  w->failure.code = 0;
  int64_t rows = stream(w, start, piece);
  int status = breaker->vtable->cut(breaker, w->locals[s->breaker - s->first], &partial, &error);
  if (status < 0) note_failure(w, &error, start + s->piece_rows, s->breaker);
  if (w->failure.code && w->failure.row >= 0 && w->failure.line == 0 && s->source->vtable->locate)
    s->source->vtable->locate(s->source, piece, w->failure.row - start, &w->failure);
  s->source->vtable->drop(s->source, piece);
  count_rows(w, rows);
  return partial;
}
