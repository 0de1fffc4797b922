/* sorter.h - what a sorting stage keeps.
 *
 * DESIGN. Each morsel is sorted where it was read and becomes a run: a batch whose rows are in order, with their keys.
 * At the end the runs are cut at common splitters into parts that are sorted independently, on all threads; as each run
 * is read from front to back, picking the rows touches memory in order. Equal rows keep the order of the input because
 * the runs are in it and every step is stable. Where only n rows are kept (of all, or of each key) runs are cut down as
 * soon as they are made, and rows beyond the n-th best so far are dropped before they are sorted.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "hash/row_encoding.h"
#include "stages/sort/top_n_boundary.h"
#include <pthread.h>

typedef struct sorter {
  mm_stage base;
  mm_order *orders;
  int32_t order_count;
  int64_t n;     /* rows to keep; -1: all */
  int32_t *keys; /* n is meant for each of these keys */
  int32_t key_count;
  row_encoding key_encoding; /* of these keys; from bind on */
  sort_spec spec;            /* from bind on */
  mm_table runs;             /* batches in order */
  sort_key_list *sort_keys;  /* of each run */
  int64_t sort_keys_capacity;
  key_precision precision; /* of all runs */

  pthread_mutex_t lock;    /* all below */
  top_n_boundary boundary; /* of all runs */
} sorter;
