/* parallel.c - independent tasks of one stage, run by as many threads as the job has.
 * SPDX-License-Identifier: MIT */
#include "engine/parallel.h"
#include "base/error.h"
#include "base/os.h"
#include "engine/job_state.h"
#include <pthread.h>
#include <stdatomic.h>

typedef struct crew {
  mm_job *job;
  int64_t count;
  int (*body)(void *context, int64_t task, mm_error *error);
  void *context;
  _Atomic int64_t next;
  pthread_mutex_t lock;
  int64_t failed; /* lowest task that failed; `count`: none */
  int status;
  mm_error *error;
} crew;

static int run_task(crew *c, int64_t task, mm_error *error) {
  int32_t cancel = atomic_load_explicit(&c->job->cancel, memory_order_relaxed);
  if (cancel) return error_fail(error, cancel, "cancelled", "the job was cancelled");
  return c->body(c->context, task, error);
}

static void work(void *argument) {
  crew *c = argument;
  for (;;) {
    int64_t task = atomic_fetch_add_explicit(&c->next, 1, memory_order_relaxed);
    if (task >= c->count) return;
    mm_error error = {.row = -1, .place = -1, .stage = -1};
    int status = run_task(c, task, &error);
    if (status >= 0) continue;
    pthread_mutex_lock(&c->lock);
    if (task < c->failed) {
      c->failed = task;
      c->status = status;
      if (c->error) *c->error = error;
    }
    pthread_mutex_unlock(&c->lock);
    atomic_store_explicit(&c->next, c->count, memory_order_relaxed); /* lower tasks have all been taken */
  }
}

int parallel_run(mm_job *job, int64_t count, int (*body)(void *context, int64_t task, mm_error *error), void *context,
                 mm_error *error) {
  enum { MOST = 256 };
  crew c = {.job = job, .count = count, .body = body, .context = context, .failed = count, .error = error};
  void *threads[MOST];
  int32_t started = 0, wanted = job->options.threads < MOST ? job->options.threads : MOST;
  pthread_mutex_init(&c.lock, NULL);
  /* A thread that cannot be started only makes the others work longer. */
  while (started + 1 < wanted && started + 1 < count
         && os_threads.start(os_threads.self, &threads[started], work, &c) >= 0)
    started++;
  work(&c);
  for (int32_t i = 0; i < started; i++) os_threads.join(os_threads.self, threads[i]);
  pthread_mutex_destroy(&c.lock);
  return c.status;
}
