/* sort_runs.h - sorted runs: kept, cut down, and read.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "hash/key_counter.h"
#include "stages/sort/sorter.h"

key_comparator sort_runs_comparator(const sorter *s);
/* Keep the first n keys of each key. */
int sort_runs_keep(const sorter *s, key_counter *t, const mm_batch *batches, int64_t batch_count, sort_key *sort_keys,
                   int64_t *count, mm_error *error);
int sort_runs_push(sorter *s, mm_batch *rows, sort_key_list *sort_keys, mm_error *error); /* takes both */
void sort_runs_clear(sorter *s);                                                          /* forget all runs */
/* The first n rows of all runs become the only runs, and boundary the morsels to come. */
int sort_runs_cut_down(sorter *s, mm_error *error);
/* Ranked rows of the runs as batches. */
int sort_runs_emit(const sorter *s, const sort_key *sort_keys, int64_t count, mm_table *out, mm_error *error);

/* The result: the first n rows. There is a run. */
int sort_runs_first(sorter *s, mm_table *out, mm_error *error);
