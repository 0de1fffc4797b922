/* sort_stage.c - the stage that sorts, and the one that keeps the first rows in an order: morsels become runs.
 * SPDX-License-Identifier: MIT */
#include "stages/sort/sort_stage.h"
#include "base/alloc.h"
#include "base/error.h"
#include "stages/sort/sort_merge.h"
#include "stages/sort/sort_runs.h"
#include <pthread.h>
#include <string.h>

/* A worker's morsel so far, and room to sort it. */
typedef struct sort_local {
  mm_table rows;
  sort_key_list sort_keys, spare;
  key_counter key_counter;
  int64_t trimmed;         /* rows at the front that trim_rows left */
  top_n_boundary boundary; /* where only the first n rows of all are wanted: what this worker knows of it */
} sort_local;

typedef struct run {
  mm_batch rows;
  sort_key_list sort_keys;
  key_precision precision;
} run;

static void run_free(run *r) {
  mm_batch_free(&r->rows);
  sort_key_list_free(&r->sort_keys);
  memory_release(r, sizeof *r);
}

/* ---- Morsels ---- */

int sort_refuse_opaque(const char *stage, const mm_schema *in, mm_error *error) {
  for (int32_t i = 0; i < in->count; i++) {
    if (in->fields[i].type.id != MM_OPAQUE) continue;
    error_fail(error, MM_EUSAGE, "opaque-column", "%s: a column of a foreign type can only pass through", stage);
    if (error)
      error_copy_text(error->field, sizeof error->field, in->fields[i].name, (int64_t)strlen(in->fields[i].name));
    return MM_EUSAGE;
  }
  return 0;
}

static int sort_bind(mm_stage *stage, const mm_schema *in, mm_error *error) {
  sorter *s = (sorter *)stage;
  TRY(sort_refuse_opaque(stage->vtable->name, in, error));
  for (int32_t k = 0; k < s->order_count; k++)
    if (s->orders[k].column < 0 || s->orders[k].column >= in->count)
      return error_fail(error, MM_EUSAGE, "bad-column", "%s: there is no column %d", stage->vtable->name,
                        s->orders[k].column);
  if (s->key_count) TRY(row_encoding_init_keys(&s->key_encoding, in, s->keys, s->key_count, error));
  TRY(sort_spec_init(&s->spec, s->orders, s->order_count, in, error));
  s->precision = (key_precision){.bits = 128, .key = s->order_count};
  return 0;
}

static int sort_open(mm_stage *stage, mm_job *job, void **local, mm_error *error) {
  (void)stage, (void)job;
  *local = memory_allocate_zero(sizeof(sort_local));
  return *local ? 0 : error_fail_memory(error, sizeof(sort_local));
}

static void sort_close(mm_stage *stage, void *local) {
  (void)stage;
  sort_local *l = local;
  if (!l) return;
  mm_table_free(&l->rows);
  sort_key_list_free(&l->sort_keys);
  sort_key_list_free(&l->spare);
  key_counter_free(&l->key_counter);
  memory_release(l, sizeof *l);
}

/* One batch of all batches of a table. */
static int join_batches(mm_batch *to, const mm_table *rows, mm_error *error) {
  int32_t columns = rows->batches[0].count;
  int64_t size = rows->count * (int64_t)sizeof(mm_column *);
  const mm_column **parts = memory_allocate(size);
  if (!parts) return error_fail_memory(error, size);
  int status = mm_batch_resize(to, columns, error);
  for (int32_t c = 0; c < columns && status >= 0; c++) {
    for (int64_t i = 0; i < rows->count; i++) parts[i] = &rows->batches[i].columns[c];
    status = mm_column_concat(&to->columns[c], parts, rows->count, error);
  }
  to->length = rows->rows;
  memory_release(parts, size);
  return status;
}

/* The chosen rows of `from`, in the order of their keys, which then count from 0. */
static int pick_rows(mm_batch *to, const mm_batch *from, sort_key *sort_keys, int64_t count, mm_error *error) {
  int64_t *index = memory_allocate(count * 8);
  if (!index) return error_fail_memory(error, count * 8);
  bool same = count == from->length;
  for (int64_t i = 0; i < count; i++) {
    index[i] = sort_keys[i].at.row;
    same &= index[i] == i;
    sort_keys[i].at = (row_ref){0, (int32_t)i};
  }
  int status = same ? mm_batch_copy(to, from, error) : mm_batch_take(to, from, index, count, false, error);
  memory_release(index, count * 8);
  return status;
}

/* Keys of the wanted rows of a morsel, in order, in local->sort_keys. */
static int make_morsel_keys(sorter *s, sort_local *l, const mm_batch *rows, key_precision *precision, mm_error *error) {
  TRY(sort_key_list_reserve(&l->sort_keys, rows->length, error));
  TRY(sort_key_list_reserve(&l->spare, 2 * rows->length, error));
  sort_key *sort_keys = l->sort_keys.items;
  sort_spec_keys(&s->spec, rows, 0, sort_keys, precision);
  int64_t count = rows->length;
  key_comparator by = {&s->spec, rows, precision->key};
  key_sort(&by, sort_keys, l->spare.items, count);
  if (s->key_count) {
    TRY(sort_runs_keep(s, &l->key_counter, rows, 1, sort_keys, &count, error));
    key_counter_clear(&l->key_counter);
  } else if (s->n >= 0 && count > s->n) {
    count = s->n;
  }
  l->sort_keys.count = count;
  return 0;
}

static int make_run(sorter *s, sort_local *l, const mm_batch *rows, run *made, mm_error *error) {
  TRY(make_morsel_keys(s, l, rows, &made->precision, error));
  int64_t count = l->sort_keys.count;
  if (count == 0) return 0;
  TRY(pick_rows(&made->rows, rows, l->sort_keys.items, count, error));
  TRY(sort_key_list_reserve(&made->sort_keys, count, error));
  memcpy(made->sort_keys.items, l->sort_keys.items, (size_t)count * sizeof(sort_key));
  made->sort_keys.count = count;
  return 0;
}

/* The first n rows of the morsel so far, in order; the n-th is a boundary for those to come. */
static int trim_rows(sorter *s, sort_local *l, mm_error *error) {
  mm_batch rows = {0}, kept = {0};
  top_n_boundary found = {.known = true};
  int status = join_batches(&rows, &l->rows, error);
  mm_table_free(&l->rows);
  if (status >= 0) status = make_morsel_keys(s, l, &rows, &found.precision, error);
  if (status >= 0) status = pick_rows(&kept, &rows, l->sort_keys.items, l->sort_keys.count, error);
  mm_batch_free(&rows);
  if (status < 0) {
    mm_batch_free(&kept);
    return status;
  }
  found.last = l->sort_keys.items[s->n - 1];
  top_n_boundary_tighten(&l->boundary, &found);
  l->trimmed = s->n;
  return mm_table_append(&l->rows, &kept, error);
}

enum { TRIMMED = 1024 }; /* rows at least */

/* Keep what may be among the first n rows. */
static int run_first(sorter *s, sort_local *l, const mm_batch *in, mm_error *error) {
  mm_batch kept = {0};
  if (s->n == 0) return 0;
  pthread_mutex_lock(&s->lock);
  top_n_boundary_tighten(&l->boundary, &s->boundary);
  pthread_mutex_unlock(&s->lock);
  int status = top_n_boundary_filter(&s->spec, &l->boundary, in, &l->sort_keys, &kept, error);
  if (status < 0 || kept.length == 0) {
    mm_batch_free(&kept);
    return status;
  }
  TRY(mm_table_append(&l->rows, &kept, error));
  int64_t more = l->rows.rows - l->trimmed;
  return more >= TRIMMED && more >= s->n ? trim_rows(s, l, error) : 0;
}

static int sort_run(mm_stage *stage, void *local, const mm_batch *in, mm_batch *out, mm_error *error) {
  (void)out;
  sorter *s = (sorter *)stage;
  sort_local *l = local;
  mm_batch copy = {0};
  if (s->n >= 0 && !s->key_count) return run_first(s, l, in, error);
  TRY(mm_batch_copy(&copy, in, error));
  return mm_table_append(&l->rows, &copy, error);
}

static int sort_cut(mm_stage *stage, void *local, void **partial, mm_error *error) {
  sort_local *l = local;
  l->trimmed = 0;
  if (l->rows.rows == 0) {
    mm_table_free(&l->rows);
    return 0;
  }
  mm_batch rows = {0};
  run *made = memory_allocate_zero(sizeof *made);
  int status = made ? join_batches(&rows, &l->rows, error) : error_fail_memory(error, sizeof *made);
  mm_table_free(&l->rows);
  if (status >= 0) status = make_run((sorter *)stage, l, &rows, made, error);
  mm_batch_free(&rows);
  if (status < 0 || made->sort_keys.count == 0) {
    if (made) run_free(made);
    return status;
  }
  *partial = made;
  return 0;
}

static int sort_fold(mm_stage *stage, void *partial, mm_error *error) {
  sorter *s = (sorter *)stage;
  run *r = partial;
  key_precision_join(&s->spec, &s->precision, &r->precision);
  int status = sort_runs_push(s, &r->rows, &r->sort_keys, error);
  run_free(r);
  if (status >= 0 && s->n > 0 && !s->key_count && s->runs.count > 1 && s->runs.rows >= 2 * s->n)
    status = sort_runs_cut_down(s, error);
  return status;
}

static void sort_drop(mm_stage *stage, void *partial) {
  (void)stage;
  run_free(partial);
}

static int sort_finish(mm_stage *stage, mm_job *job, mm_table *out, mm_error *error) {
  sorter *s = (sorter *)stage;
  if (s->runs.count == 0) return 0;
  int status = s->n < 0 ? sort_merge_all(s, job, out, error) : sort_runs_first(s, out, error);
  sort_runs_clear(s);
  return status;
}

static void sort_free(mm_stage *stage) {
  sorter *s = (sorter *)stage;
  sort_runs_clear(s);
  memory_release(s->sort_keys, s->sort_keys_capacity * (int64_t)sizeof *s->sort_keys);
  memory_release(s->orders, s->order_count * (int64_t)sizeof *s->orders);
  memory_release(s->keys, s->key_count * (int64_t)sizeof *s->keys);
  row_encoding_free(&s->key_encoding);
  sort_spec_free(&s->spec);
  pthread_mutex_destroy(&s->lock);
  mm_schema_free(&stage->out);
  memory_release(s, sizeof *s);
}

static mm_stage *sort_copy(const mm_stage *stage, mm_error *error) {
  const sorter *s = (const sorter *)stage;
  return sort_stage_new(s->n, s->keys, s->key_count, s->orders, s->order_count, error);
}

#define SORTER_CLASS(title)                                                                                            \
  {                                                                                                                    \
    .name = title, .flags = MM_STAGE_BREAKER, .bind = sort_bind, .open = sort_open, .close = sort_close,               \
    .run = sort_run, .cut = sort_cut, .fold = sort_fold, .drop = sort_drop, .finish = sort_finish, .free = sort_free,  \
    .copy = sort_copy                                                                                                  \
  }
static const mm_stage_class sort_class = SORTER_CLASS("sort"), first_class = SORTER_CLASS("limit");

mm_stage *sort_stage_new(int64_t n, const int32_t *keys, int32_t key_count, const mm_order *orders, int32_t order_count,
                         mm_error *error) {
  sorter *s = memory_allocate_zero(sizeof *s);
  if (!s) {
    error_fail_memory(error, sizeof *s);
    return NULL;
  }
  s->base.vtable = n < 0 ? &sort_class : &first_class;
  s->base.flags = s->base.vtable->flags;
  s->n = n;
  s->order_count = order_count;
  s->key_count = key_count;
  pthread_mutex_init(&s->lock, NULL);
  int64_t orders_size = order_count * (int64_t)sizeof *orders, keys_size = key_count * (int64_t)sizeof *keys;
  s->orders = memory_allocate(orders_size);
  s->keys = memory_allocate(keys_size);
  if (!s->orders || !s->keys) {
    error_fail_memory(error, orders_size + keys_size);
    sort_free(&s->base);
    return NULL;
  }
  if (order_count) memcpy(s->orders, orders, (size_t)orders_size);
  if (key_count) memcpy(s->keys, keys, (size_t)keys_size);
  return &s->base;
}

mm_stage *mm_stage_sort(const mm_order *orders, int32_t count, mm_error *error) {
  return sort_stage_new(-1, NULL, 0, orders, count, error);
}
