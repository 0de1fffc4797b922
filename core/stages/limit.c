/* limit.c - the first rows in the order of the input, of all or of each key. (In another order: sort_stage.c.)
 *
 * DESIGN. A morsel keeps the rows that would be wanted if it were the first; fold keeps those that really are. Without
 * keys the job ends when there are enough. With keys, rows are picked from batches of which some row is wanted; a
 * morsel's batches are then joined to what was picked of them.
 *
 * SPDX-License-Identifier: MIT */
#include "engine/job_state.h"
#include "base/alloc.h"
#include "base/error.h"
#include "hash/key_counter.h"
#include "stages/sort/sort_stage.h"
#include "types/gather.h"
#include <string.h>

/* Batches, and what is wanted of them. */
typedef struct choice {
  mm_table rows;
  mm_buffer picks; /* row_ref; only with keys */
  key_counter key_counter;
} choice;

typedef struct limiter {
  mm_stage base;
  int64_t n;
  int32_t *keys;
  int32_t key_count;
  row_encoding encoding; /* of the keys; once bound */
  choice kept;
} limiter;

static void choice_free(choice *c) {
  mm_table_free(&c->rows);
  mm_buffer_free(&c->picks);
  key_counter_free(&c->key_counter);
}

/* ---- Morsels ---- */

static int limit_bind(mm_stage *stage, const mm_schema *in, mm_error *error) {
  limiter *l = (limiter *)stage;
  for (int32_t k = 0; k < l->key_count; k++)
    if (l->keys[k] < 0 || l->keys[k] >= in->count)
      return error_fail(error, MM_EUSAGE, "bad-column", "limit: there is no column %d", l->keys[k]);
  if (!l->key_count) return 0;
  TRY(sort_refuse_opaque("limit", in, error));
  return row_encoding_init_keys(&l->encoding, in, l->keys, l->key_count, error);
}

static int limit_open(mm_stage *stage, mm_job *job, void **local, mm_error *error) {
  (void)stage, (void)job;
  *local = memory_allocate_zero(sizeof(choice));
  return *local ? 0 : error_fail_memory(error, sizeof(choice));
}

static void limit_close(mm_stage *stage, void *local) {
  (void)stage;
  if (local) choice_free(local);
  memory_release(local, sizeof(choice));
}

/* The first rows of a batch, at most `n`. */
static int append_head(mm_table *to, const mm_batch *from, int64_t n, mm_error *error) {
  mm_batch head = {0};
  TRY(mm_batch_slice(&head, from, 0, n < from->length ? n : from->length, error));
  return mm_table_append(to, &head, error);
}

static int pick_rows(const limiter *l, choice *c, const mm_batch *in, uint32_t *numbers, mm_error *error) {
  TRY(key_counter_number(&c->key_counter, &l->encoding, in, l->keys, numbers, error));
  TRY(mm_buffer_reserve(&c->picks, in->length * (int64_t)sizeof(row_ref), error));
  for (int64_t i = 0; i < in->length; i++) {
    row_ref at = {(int32_t)c->rows.count, (int32_t)i};
    if (key_counter_add(&c->key_counter, numbers[i]) > l->n) continue;
    memcpy(c->picks.data + c->picks.size, &at, sizeof at);
    c->picks.size += sizeof at;
  }
  return 0;
}

/* Pick rows of a batch; it is kept when some are wanted. */
static int choose_rows(const limiter *l, choice *c, const mm_batch *in, mm_error *error) {
  int64_t before = c->picks.size, size = in->length * (int64_t)sizeof(uint32_t);
  uint32_t *numbers = memory_allocate(size);
  int status = numbers ? pick_rows(l, c, in, numbers, error) : error_fail_memory(error, size);
  memory_release(numbers, size);
  if (status >= 0 && c->picks.size > before) status = append_head(&c->rows, in, in->length, error);
  if (status < 0) c->picks.size = before; /* they would name a batch that is not there */
  return status;
}

static int limit_run(mm_stage *stage, void *local, const mm_batch *in, mm_batch *out, mm_error *error) {
  const limiter *l = (const limiter *)stage;
  choice *c = local;
  (void)out;
  if (l->n == 0) return 0;
  if (l->key_count) return choose_rows(l, c, in, error);
  return c->rows.rows < l->n ? append_head(&c->rows, in, l->n - c->rows.rows, error) : 0;
}

/* What was picked, as batches of at most a morsel's rows. */
static int gather_rows(const choice *c, mm_table *to, mm_error *error) {
  const row_ref *picks = (const row_ref *)(const void *)c->picks.data;
  int64_t count = c->picks.size / (int64_t)sizeof *picks;
  for (int64_t start = 0; start < count; start += MM_MORSEL) {
    mm_batch made = {0};
    int64_t n = count - start < MM_MORSEL ? count - start : MM_MORSEL;
    TRY(batch_gather(&made, c->rows.batches, c->rows.count, picks + start, n, error));
    TRY(mm_table_append(to, &made, error));
  }
  return 0;
}

static int limit_cut(mm_stage *stage, void *local, void **partial, mm_error *error) {
  const limiter *l = (const limiter *)stage;
  choice *c = local;
  mm_table *made = memory_allocate_zero(sizeof *made);
  int status = made ? 0 : error_fail_memory(error, sizeof *made);
  if (status >= 0 && l->key_count) {
    status = gather_rows(c, made, error);
    mm_table_free(&c->rows);
    key_counter_clear(&c->key_counter);
    c->picks.size = 0;
  } else if (status >= 0) {
    *made = c->rows;
    c->rows = (mm_table){0};
  }
  *partial = made;
  return status;
}

/* ---- Folding ---- */

static void limit_drop(mm_stage *stage, void *partial) {
  (void)stage;
  mm_table_free(partial);
  memory_release(partial, sizeof(mm_table));
}

static int limit_fold(mm_stage *stage, void *partial, mm_error *error) {
  limiter *l = (limiter *)stage;
  const mm_table *rows = partial;
  int status = 0;
  for (int64_t i = 0; i < rows->count && status >= 0; i++) {
    if (l->key_count) status = choose_rows(l, &l->kept, &rows->batches[i], error);
    else if (l->kept.rows.rows < l->n)
      status = append_head(&l->kept.rows, &rows->batches[i], l->n - l->kept.rows.rows, error);
  }
  limit_drop(stage, partial);
  return status < 0 ? status : !l->key_count && l->kept.rows.rows >= l->n;
}

static int limit_finish(mm_stage *stage, mm_job *job, mm_table *out, mm_error *error) {
  limiter *l = (limiter *)stage;
  (void)job;
  if (l->key_count) return gather_rows(&l->kept, out, error);
  for (int64_t i = 0; i < l->kept.rows.count; i++) TRY(mm_table_append(out, &l->kept.rows.batches[i], error));
  return 0;
}

static void limit_free(mm_stage *stage) {
  limiter *l = (limiter *)stage;
  choice_free(&l->kept);
  row_encoding_free(&l->encoding);
  memory_release(l->keys, l->key_count * (int64_t)sizeof *l->keys);
  mm_schema_free(&stage->out);
  memory_release(l, sizeof *l);
}

static mm_stage *limit_copy(const mm_stage *stage, mm_error *error) {
  const limiter *l = (const limiter *)stage;
  return mm_stage_limit(l->n, l->keys, l->key_count, NULL, 0, error);
}

static const mm_stage_class limit_class = {.name = "limit",
                                           .flags = MM_STAGE_BREAKER | MM_STAGE_CAN_END,
                                           .bind = limit_bind,
                                           .open = limit_open,
                                           .close = limit_close,
                                           .run = limit_run,
                                           .cut = limit_cut,
                                           .fold = limit_fold,
                                           .drop = limit_drop,
                                           .finish = limit_finish,
                                           .free = limit_free,
                                           .copy = limit_copy};

mm_stage *mm_stage_limit(int64_t n, const int32_t *keys, int32_t key_count, const mm_order *orders, int32_t order_count,
                         mm_error *error) {
  if (n < 0) {
    error_fail(error, MM_EUSAGE, "bad-limit", "limit: %lld rows", (long long)n);
    return NULL;
  }
  if (order_count > 0) return sort_stage_new(n, keys, key_count, orders, order_count, error);
  limiter *l = memory_allocate_zero(sizeof *l);
  int64_t size = key_count * (int64_t)sizeof *keys;
  if (l) l->keys = memory_allocate(size);
  if (!l || !l->keys) {
    memory_release(l, sizeof *l);
    error_fail_memory(error, sizeof *l);
    return NULL;
  }
  l->base.vtable = &limit_class;
  l->base.flags = key_count ? MM_STAGE_BREAKER : limit_class.flags;
  l->n = n;
  l->key_count = key_count;
  if (key_count) memcpy(l->keys, keys, (size_t)size);
  return &l->base;
}
