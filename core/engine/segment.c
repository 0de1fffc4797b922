/* segment.c - the order of morsels: who claims the next one, when it is folded, and which failure wins.
 * SPDX-License-Identifier: MIT */
#include "engine/segment.h"
#include "base/alloc.h"
#include "base/error.h"
#include "engine/worker.h"
#include <pthread.h>
#include <stdatomic.h>

/* Batches small enough for the caches, unless a stage has work to do for each batch that counts, or the user says. */
static int64_t batch_rows(const mm_job *job, const segment *s) {
  enum { DEFAULT_ROWS = 16384 };
  int64_t rows = job->options.batch_rows > 0 ? job->options.batch_rows : DEFAULT_ROWS;
  for (int32_t i = s->first; i <= s->breaker && job->options.batch_rows <= 0; i++)
    if (job->stages[i]->batch_rows > rows) rows = job->stages[i]->batch_rows;
  return rows > s->piece_rows ? s->piece_rows : (rows + 63) / 64 * 64;
}

/* Rows of a few bytes are gone before claiming and folding have paid: up to PIECE_BYTES at a time, as long as every
 * thread gets several pieces. */
static int64_t piece_rows(const mm_job *job, const segment *s) {
  enum { PIECE_BYTES = 1 << 20, PIECES_A_THREAD = 16 };
  const mm_source *source = s->source;
  if (!source->rows || !(job->stages[s->breaker]->flags & MM_STAGE_POSITIONAL)) return MM_MORSEL;
  int64_t width = 0;
  for (int32_t i = 0; i < source->schema.count; i++) {
    int64_t bytes = mm_type_width(source->schema.fields[i].type);
    width += bytes ? bytes : PIECE_BYTES / MM_MORSEL;
  }
  int64_t morsels = PIECE_BYTES / MM_MORSEL / (width ? width : 1);
  int64_t most = source->rows / MM_MORSEL / (job->options.threads * (int64_t)PIECES_A_THREAD);
  if (morsels > most) morsels = most;
  return (morsels > 1 ? morsels : 1) * MM_MORSEL;
}

/* Let the last stage say where the one before it may write. */
static void aim_stages(mm_job *job, const segment *s) {
  mm_stage *breaker = job->stages[s->breaker];
  if (!breaker->vtable->aim || s->breaker == s->first) return;
  int32_t flags = stages_flags(job->stages + s->first, s->breaker - s->first);
  breaker->vtable->aim(breaker, job->stages[s->breaker - 1], flags);
}

int segment_start(mm_job *job, mm_source *source, int32_t first, mm_error *error) {
  segment *s = &job->segment;
  *s = (segment){.source = source, .first = first, .breaker = first, .fail_at = INT64_MAX};
  while (!(job->stages[s->breaker]->flags & MM_STAGE_BREAKER)) s->breaker++;
  pthread_mutexattr_t brief; /* held for a moment: to look again is cheaper than to sleep */
  pthread_mutexattr_init(&brief);
  pthread_mutexattr_settype(&brief, PTHREAD_MUTEX_ADAPTIVE_NP);
  pthread_mutex_init(&s->claiming, &brief);
  pthread_mutex_init(&s->ordering, &brief);
  pthread_mutexattr_destroy(&brief);
  pthread_cond_init(&s->advanced, NULL);
  s->piece_rows = piece_rows(job, s);
  if (source->rows) source->piece_rows = s->piece_rows;
  source->lends = (job->stages[s->breaker]->flags & MM_STAGE_NO_RETAIN) != 0;
  s->batch_rows = batch_rows(job, s);
  s->window = 4 * (int64_t)job->options.threads;
  s->slots = memory_allocate_zero(s->window * (int64_t)sizeof *s->slots);
  if (!s->slots) return error_fail_memory(error, s->window * (int64_t)sizeof *s->slots);

  bool later_fails = (job->stages[s->breaker]->flags & MM_STAGE_CAN_FAIL) != 0;
  for (int32_t i = s->breaker - 1; i >= first; i--) {
    job->stages[i]->track_rows = later_fails;
    later_fails |= (job->stages[i]->flags & MM_STAGE_CAN_FAIL) != 0;
    job->stages[i]->may_select = (job->stages[i + 1]->flags & MM_STAGE_SELECTED) != 0;
  }
  aim_stages(job, s);
  return 0;
}

void segment_free(mm_job *job) {
  segment *s = &job->segment;
  if (!s->source) return;
  mm_stage *breaker = job->stages[s->breaker];
  if (s->slots)
    for (int64_t i = 0; i < s->window; i++)
      if (s->slots[i].partial) breaker->vtable->drop(breaker, s->slots[i].partial);
  memory_release(s->slots, s->window * (int64_t)sizeof *s->slots);
  mm_source_free(s->source);
  pthread_mutex_destroy(&s->claiming);
  pthread_mutex_destroy(&s->ordering);
  pthread_cond_destroy(&s->advanced);
  *s = (segment){0};
}

void segment_wake(segment *s) {
  if (s->source->vtable->interrupt) s->source->vtable->interrupt(s->source);
  pthread_mutex_lock(&s->ordering);
  pthread_cond_broadcast(&s->advanced);
  pthread_mutex_unlock(&s->ordering);
}

/* Wait until morsel k may start; false when none shall start any more. */
static bool may_start(mm_job *job, segment *s, int64_t k) {
  bool go;
  pthread_mutex_lock(&s->ordering);
  while ((go = !atomic_load(&job->cancel) && !s->satisfied && !s->failed && k < s->fail_at) && k >= s->head + s->window)
    pthread_cond_wait(&s->advanced, &s->ordering);
  pthread_mutex_unlock(&s->ordering);
  return go;
}

/* Fold one morsel's partial. A failed one is folded too where the rows before its failure may satisfy the stage. */
static int fold_one(mm_stage *breaker, morsel_result *taken, mm_error *error) {
  bool wanted = !taken->error.code || breaker->flags & MM_STAGE_CAN_END;
  if (!taken->partial) return 0;
  if (wanted) return breaker->vtable->fold(breaker, taken->partial, error);
  breaker->vtable->drop(breaker, taken->partial);
  return 0;
}

/* Fold what is ready, in order. Called with the mutex held; gives it up while a fold runs. */
static void fold_ready(mm_job *job, segment *s) {
  s->folding = true;
  while (s->slots[s->head % s->window].ready && !s->satisfied && !s->failed) {
    morsel_result *slot = &s->slots[s->head % s->window];
    morsel_result taken;
    taken.partial = slot->partial;
    taken.error.code = slot->error.code;
    if (slot->error.code) taken.error = slot->error;
    slot->ready = false;
    slot->partial = NULL;
    mm_error error;
    error_clear(&error);
    pthread_mutex_unlock(&s->ordering);
    int status = fold_one(job->stages[s->breaker], &taken, &error);
    pthread_mutex_lock(&s->ordering);
    if (status > 0) {
      s->satisfied = true;
    } else if (status < 0 || taken.error.code) {
      s->failed = true;
      error.stage = s->breaker;
      s->error = status < 0 ? error : taken.error;
    }
    s->head++;
    pthread_cond_broadcast(&s->advanced);
  }
  s->folding = false;
}

static void publish(mm_job *job, segment *s, int64_t k, void *partial, const mm_error *failure) {
  pthread_mutex_lock(&s->ordering);
  morsel_result *slot = &s->slots[k % s->window];
  slot->ready = true;
  slot->partial = partial;
  slot->error.code = failure->code;
  if (failure->code) slot->error = *failure;
  if (failure->code && k < s->fail_at) {
    s->fail_at = k;
    pthread_cond_broadcast(&s->advanced);
  }
  if (!s->folding) fold_ready(job, s);
  pthread_mutex_unlock(&s->ordering);
}

/* A failure that belongs to no morsel (opening a worker, draining) stops the segment at once. */
static void fail_segment(segment *s, const mm_error *error) {
  pthread_mutex_lock(&s->ordering);
  if (!s->failed) {
    s->failed = true;
    s->error = *error;
  }
  pthread_cond_broadcast(&s->advanced);
  pthread_mutex_unlock(&s->ordering);
}

/* Claim the next morsel: 1, 0 when there is none, or the failure of the source, which stands for the morsel. */
static int claim_morsel(mm_job *job, segment *s, int64_t *k, void **piece, mm_error *error) {
  int status = 0;
  pthread_mutex_lock(&s->claiming);
  *k = s->next;
  if (!s->exhausted && may_start(job, s, *k)) {
    status = s->source->vtable->claim(s->source, piece, error);
    if (status != 0) s->next++;
    if (status <= 0) s->exhausted = true;
  }
  pthread_mutex_unlock(&s->claiming);
  return status;
}

static bool work_once(worker *w, segment *s) {
  mm_job *job = w->job;
  mm_stage *breaker = job->stages[s->breaker];
  void *piece = NULL;
  int64_t k;
  mm_error error;
  error_clear(&error);
  int status = claim_morsel(job, s, &k, &piece, &error);
  if (status < 0) publish(job, s, k, NULL, &error);
  if (status <= 0) return false;
  void *partial = worker_piece(w, k, piece);
  publish(job, s, k, partial, &w->failure);
  status = breaker->vtable->drain ? breaker->vtable->drain(breaker, &error) : 0;
  if (status < 0) {
    error.stage = s->breaker;
    fail_segment(s, &error);
  }
  return status >= 0;
}

/* Ask the stages whether all was well; not after a cancellation, nor when the rows that a worker saw may not count. */
static void leave_stages(worker *w, segment *s) {
  mm_error error = {.row = -1, .place = -1, .stage = -1};
  pthread_mutex_lock(&s->ordering);
  bool counts = !s->satisfied && !s->failed;
  pthread_mutex_unlock(&s->ordering);
  if (!counts || atomic_load(&w->job->cancel)) return;
  for (int32_t i = 0; i < w->opened; i++) {
    mm_stage *stage = w->job->stages[s->first + i];
    if (!stage->vtable->leave || stage->vtable->leave(stage, w->locals[i], &error) >= 0) continue;
    error.stage = s->first + i;
    fail_segment(s, &error);
    return;
  }
}

bool segment_enter(mm_job *job, worker *w) {
  mm_error error = {.row = -1, .place = -1, .stage = -1};
  if (worker_open(w, job, &error) >= 0) return true;
  fail_segment(&job->segment, &error);
  return false;
}

bool segment_step(worker *w) {
  if (work_once(w, &w->job->segment)) return true;
  leave_stages(w, &w->job->segment);
  return false;
}

void segment_leave(worker *w) { worker_close(w); }

void segment_work(mm_job *job) {
  worker w;
  if (segment_enter(job, &w))
    while (segment_step(&w)) {}
  segment_leave(&w);
}

int segment_finish(mm_job *job, mm_table *result, mm_error *error) {
  segment *s = &job->segment;
  int32_t cancel = atomic_load(&job->cancel);
  if (cancel)
    return error_fail(error, cancel, cancel == MM_ELIMIT ? "timeout" : "cancelled", "%s",
                      cancel == MM_ELIMIT ? "the time limit was reached" : "the job was cancelled");
  if (s->failed) {
    *error = s->error;
    return s->error.code;
  }
  mm_stage *breaker = job->stages[s->breaker];
  int status = breaker->vtable->finish(breaker, job, result, error);
  if (status < 0) error->stage = s->breaker;
  return status;
}
