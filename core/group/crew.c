/* crew.c - the same work for many indices, on as many threads as there were workers.
 * SPDX-License-Identifier: MIT */
#include "groups.h"

enum { MOST_THREADS = 64 };

typedef struct crew {
  int  (*body)(void *argument, int64_t i, mm_error *error);
  void  *argument;
  int64_t count;
  atomic_llong next, failed; /* failed: the lowest index that did, or count */
  pthread_mutex_t lock;
  int status;
  mm_error error;
} crew;

static void work(void *argument) {
  crew *all = argument;
  for (;;) {
    int64_t i = atomic_fetch_add(&all->next, 1);
    if (i >= atomic_load(&all->failed)) return;
    mm_error error = {0};
    int status = all->body(all->argument, i, &error);
    if (status >= 0) continue;
    pthread_mutex_lock(&all->lock);
    if (i < atomic_load(&all->failed)) {
      atomic_store(&all->failed, i);
      all->status = status;
      all->error = error;
    }
    pthread_mutex_unlock(&all->lock);
  }
}

int mm_merger_each(mm_merger *merger, int64_t n, int (*body)(void *argument, int64_t i, mm_error *error), void *argument,
                   mm_error *error) {
  crew all = {.body = body, .argument = argument, .count = n};
  atomic_store(&all.failed, n);
  pthread_mutex_init(&all.lock, NULL);
  void *threads[MOST_THREADS];
  int64_t wanted = atomic_load(&merger->workers) < n ? atomic_load(&merger->workers) : n, started = 0;
  while (started + 1 < wanted && started < MOST_THREADS) { /* fewer when no more can be had */
    if (mm_host_threads.start(mm_host_threads.self, &threads[started], work, &all) < 0) break;
    started++;
  }
  work(&all);
  for (int64_t i = 0; i < started; i++) mm_host_threads.join(mm_host_threads.self, threads[i]);
  pthread_mutex_destroy(&all.lock);
  if (all.status < 0 && error) *error = all.error;
  return all.status;
}
