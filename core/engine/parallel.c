/* parallel.c - independent tasks of a stage that finishes, run by the workers of its job.
 *
 * DESIGN. A stage finishes on the worker that left its segment last; the others wait for the next segment, and take tasks
 * meanwhile. Tasks are taken in order from a counter.
 *
 * SPDX-License-Identifier: MIT */
#include "engine/parallel.h"
#include "base/error.h"
#include "base/os.h"
#include "engine/job_state.h"
#include <pthread.h>
#include <stdatomic.h>

struct task_set {
  mm_job *job;
  int64_t count;
  int (*body)(void *context, int64_t task, mm_error *error);
  void *context;
  _Atomic int64_t next;
  int32_t helpers; /* workers that are at it, beside the caller; under job->mutex */
  pthread_cond_t left;
  pthread_mutex_t lock; /* all below */
  int64_t failed;       /* lowest task that failed; `count`: none */
  int status;
  mm_error *error;
};

static int run_task(task_set *set, int64_t task, mm_error *error) {
  int32_t cancel = atomic_load_explicit(&set->job->cancel, memory_order_relaxed);
  if (cancel) return error_fail(error, cancel, "cancelled", "the job was cancelled");
  return set->body(set->context, task, error);
}

static void run_tasks(task_set *set) {
  for (;;) {
    int64_t task = atomic_fetch_add_explicit(&set->next, 1, memory_order_relaxed);
    if (task >= set->count) return;
    mm_error error = {.row = -1, .place = -1, .stage = -1};
    int status = run_task(set, task, &error);
    if (status >= 0) continue;
    pthread_mutex_lock(&set->lock);
    if (task < set->failed) {
      set->failed = task;
      set->status = status;
      if (set->error) *set->error = error;
    }
    pthread_mutex_unlock(&set->lock);
    atomic_store_explicit(&set->next, set->count, memory_order_relaxed); /* lower tasks have all been taken */
  }
}

bool parallel_help(mm_job *job) {
  task_set *set = job->tasks;
  if (!set || atomic_load_explicit(&set->next, memory_order_relaxed) >= set->count) return false;
  set->helpers++;
  pthread_mutex_unlock(&job->mutex);
  run_tasks(set);
  pthread_mutex_lock(&job->mutex);
  if (--set->helpers == 0) pthread_cond_signal(&set->left);
  return true;
}

/* Show the tasks to the workers that wait; false: they have others. */
static bool offer_tasks(task_set *set) {
  mm_job *job = set->job;
  pthread_mutex_lock(&job->mutex);
  bool offered = !job->tasks;
  if (offered) {
    job->tasks = set;
    pthread_cond_broadcast(&job->wanted);
  }
  pthread_mutex_unlock(&job->mutex);
  return offered;
}

static void withdraw_tasks(task_set *set) {
  mm_job *job = set->job;
  pthread_mutex_lock(&job->mutex);
  job->tasks = NULL;
  while (set->helpers) pthread_cond_wait(&set->left, &job->mutex);
  pthread_mutex_unlock(&job->mutex);
}

int parallel_run(mm_job *job, int64_t count, int (*body)(void *context, int64_t task, mm_error *error), void *context,
                 mm_error *error) {
  task_set set = {.job = job, .count = count, .body = body, .context = context, .failed = count, .error = error};
  pthread_mutex_init(&set.lock, NULL);
  pthread_cond_init(&set.left, NULL);
  bool offered = count > 1 && job->thread_count > 1 && offer_tasks(&set);
  run_tasks(&set);
  if (offered) withdraw_tasks(&set);
  pthread_mutex_destroy(&set.lock);
  pthread_cond_destroy(&set.left);
  return set.status;
}
