/* sort_stage.h - the sorting stage, as its files share it.
 *
 * DESIGN. Each morsel is sorted where it was read and becomes a run: a batch whose rows are in order, with their ranks.
 * At the end the runs are cut at common splitters into parts that are sorted independently, on all threads; as each run
 * is read from front to back, picking the rows touches memory in order. Equal rows keep the order of the input because
 * the runs are in it and every step is stable. Where only n rows are kept (of all, or of each key) runs are cut down as
 * soon as they are made, and rows beyond the n-th best so far are dropped before they are sorted.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stages/sort/sort_key.h"
#include "hash/key_counter.h"
#include <pthread.h>

typedef struct rank_list {
  rank *ranks;
  int64_t count, capacity;
} rank_list;

/* Room for `count` ranks; what was in the list is lost. */
int mm_ranks_room(rank_list *list, int64_t count, mm_error *error);
void mm_ranks_free(rank_list *list);

/* What closes the first n rows of those seen so far. */
typedef struct bound {
  bool known;
  rank last; /* of the last of them */
  clarity clear;
} bound;

void mm_bound_tighten(bound *to, const bound *other); /* the one that comes first */
/* Rows of a batch that may be among the first n, all of them where the bound is not known; `to` stays empty when there
 * are none. The rows come later in the input than those that the bound was made of. `room` is used for their ranks. */
int mm_bound_sift(const ordering *o, const bound *b, const mm_batch *from, rank_list *room, mm_batch *to,
                  mm_error *error);

typedef struct sorter {
  mm_stage base;
  mm_order *orders;
  int32_t order_count;
  int64_t n;     /* rows to keep; -1: all */
  int32_t *keys; /* n is meant for each of these keys */
  int32_t key_count;
  ordering ordering; /* from bind on */
  mm_table runs;     /* batches in order */
  rank_list *ranks;  /* of each run */
  int64_t ranks_capacity;
  clarity clear; /* of all runs */

  pthread_mutex_t lock; /* all below */
  bound bound;          /* of all runs */
} sorter;

/* A stage that keeps the first n rows (-1: all) in an order, of each key when there are keys. */
mm_stage *mm_sorter_new(int64_t n, const int32_t *keys, int32_t key_count, const mm_order *orders, int32_t order_count,
                        mm_error *error);
/* Fail for a column of a foreign type, by name. */
int mm_sorter_refuse_opaque(const char *stage, const mm_schema *in, mm_error *error);
ranking mm_sorter_ranking(const sorter *s);
/* Keep the first n ranks of each key. */
int mm_sorter_keep(const sorter *s, tally *t, const mm_batch *batches, int64_t batch_count, rank *ranks, int64_t *count,
                   mm_error *error);
int mm_sorter_push(sorter *s, mm_batch *rows, rank_list *ranks, mm_error *error); /* takes both */
void mm_sorter_clear(sorter *s);                                                  /* forget all runs */
/* The first n rows of all runs become the only runs, and bound the morsels to come. */
int mm_sorter_cut_down(sorter *s, mm_error *error);
/* Ranked rows of the runs as batches. */
int mm_sorter_emit(const sorter *s, const rank *ranks, int64_t count, mm_table *out, mm_error *error);
/* The result: all rows in order (sort_merge.c), or the first n (sort_runs.c). There is a run. */
int mm_sorter_all(sorter *s, mm_job *job, mm_table *out, mm_error *error);
int mm_sorter_first(sorter *s, mm_table *out, mm_error *error);
