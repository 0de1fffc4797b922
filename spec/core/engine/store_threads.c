/* store_threads.c - threads that change and read the store at once, for spec/core/engine/store_spec.lua, which
 * compiles this file.
 * SPDX-License-Identifier: MIT */
#include "moonmill.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { NAMES = 7, ROWS = 100, MAX_THREADS = 64 };

typedef struct storm {
  int rounds;
  atomic_int seed, failures;
} storm;

/* A column whose rows are all `number`. */
static int make(mm_column *column, int64_t number) {
  int status = mm_column_make(column, (mm_type){.id = MM_I64}, ROWS, 0, false, NULL);
  int64_t *values = status < 0 ? NULL : (int64_t *)mm_block_data(column->data_block);
  for (int i = 0; values && i < ROWS; i++) values[i] = number;
  return status;
}

static bool whole(const mm_column *column) {
  const int64_t *values = column->data;
  for (int i = 1; i < ROWS; i++)
    if (values[i] != values[0]) return false;
  return column->length == ROWS;
}

/* Sums the first values of a snapshot; every value must be whole and the names in order. */
static bool sum(const mm_store *snapshot, int64_t *total) {
  *total = mm_store_count(snapshot);
  for (int64_t i = 0; i < mm_store_count(snapshot); i++) {
    mm_store_entry entry;
    mm_store_at(snapshot, i, &entry);
    if (!whole(entry.column) || entry.users < 0 || mm_store_find(snapshot, entry.name) != i) return false;
    *total += *(const int64_t *)entry.column->data;
  }
  return true;
}

static bool look(const char *name) {
  int64_t before, after;
  mm_store *snapshot = mm_store_snapshot();
  mm_column column = {0};
  bool fine = sum(snapshot, &before);
  if (mm_store_get(name, &column)) fine = fine && whole(&column);
  mm_column_release(&column);
  fine = fine && sum(snapshot, &after) && before == after;
  mm_store_release(snapshot);
  return fine;
}

static void *thread_body(void *argument) {
  storm *s = argument;
  unsigned random = (unsigned)atomic_fetch_add(&s->seed, 1) * 2654435761u + 1;
  for (int i = 0; i < s->rounds; i++) {
    random = random * 1664525u + 1013904223u;
    char name[8];
    snprintf(name, sizeof name, "n%u", (random >> 8) % NAMES);
    mm_column column = {0};
    bool fine = true;
    switch (random >> 28) {
    case 0: mm_store_clear(); break;
    case 1:
    case 2:
    case 3: fine = mm_store_drop(name, NULL) >= 0; break;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
    case 9: fine = look(name); break;
    default:
      fine = make(&column, (int64_t)random) >= 0 && mm_store_put(name, &column, NULL) >= 0;
      mm_column_release(&column);
    }
    if (!fine) atomic_fetch_add(&s->failures, 1);
  }
  return NULL;
}

/* Failures seen by `threads` threads of `rounds` rounds each; -1: no threads. */
int store_storm(int threads, int rounds, int seed);
int store_storm(int threads, int rounds, int seed) {
  storm s = {.rounds = rounds, .seed = seed};
  pthread_t running[MAX_THREADS];
  for (int i = 0; i < threads; i++)
    if (pthread_create(&running[i], NULL, thread_body, &s) != 0) return -1;
  for (int i = 0; i < threads; i++) pthread_join(running[i], NULL);
  return atomic_load(&s.failures);
}
