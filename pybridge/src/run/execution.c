/* execution.c - jobs from start to end, with a supervisor thread where the caller does not wait.
 * SPDX-License-Identifier: MIT */
#include "run/execution.h"
#include "session.h"
#include "base/clock.h"
#include "host.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SLICE_MS = 50, PATIENCE_MS = 2000 };

/* ---- Making ---- */

static mm_job *make_job(execution *exec, const mm_pulse *pulse, mm_error *error) {
  mm_job_options options = {.threads = exec->threads};
  mm_source *source = exec->result.source ? exec->result.source : mm_source_table(&exec->result.input, error);
  exec->result.source = NULL;
  mm_job *job = source ? mm_plan_job(exec->result.plan, source, &options, error) : NULL;
  mm_stage *sink = job ? run_result_sink(&exec->result, pulse, error) : NULL;
  if (exec->result.path) exec->output = sink;
  if (sink && mm_job_add(job, sink, error) >= 0) return job;
  mm_job_free(job);
  return NULL;
}

/* No more threads than morsels; the number of morsels of files is not known. */
static int32_t useful_threads(int32_t wanted, const run_result *result) {
  int64_t morsels = (result->input.rows + MM_MORSEL - 1) / MM_MORSEL;
  int32_t threads = wanted > 0 ? wanted : mm_processors();
  if (result->source) return threads;
  return morsels < 1 ? 1 : morsels < threads ? (int32_t)morsels : threads;
}

execution *execution_new(run_result *take, int32_t threads, double limit, double asked, const mm_pulse *pulse,
                         mm_error *error) {
  execution *exec = calloc(1, sizeof *exec);
  if (!exec) {
    run_result_free(take);
    mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a job");
    return NULL;
  }
  exec->result = *take;
  *take = (run_result){0};
  exec->threads = useful_threads(threads, &exec->result);
  exec->reads = exec->result.source != NULL;
  exec->limit = limit;
  exec->asked = asked;
  exec->process = getpid();
  exec->event = -1;
  pthread_mutex_init(&exec->mutex, NULL);
  mm_cond_init(&exec->changed);
  live_count(LIVE_jobs, 1);
  exec->job = make_job(exec, pulse, error);
  if (exec->job) return exec;
  execution_leave(exec);
  return NULL;
}

static void free_execution(execution *exec) {
  mm_job_free(exec->job);
  run_result_free(&exec->result);
  mm_table_free(&exec->table);
  free(exec->stage_rows);
  if (exec->event >= 0) close(exec->event);
  pthread_mutex_destroy(&exec->mutex);
  pthread_cond_destroy(&exec->changed);
  free(exec);
  live_count(LIVE_jobs, -1);
}

/* ---- Ending ---- */

static void note_rows(execution *exec) {
  mm_job_progress(exec->job, &exec->progress);
  int64_t in, out;
  while (mm_job_stage_rows(exec->job, exec->stages, &in, &out) == 0) exec->stages++;
  exec->stage_rows = calloc(2 * (size_t)exec->stages + 1, sizeof *exec->stage_rows);
  for (int32_t i = 0; i < exec->stages && exec->stage_rows; i++)
    mm_job_stage_rows(exec->job, i, &exec->stage_rows[2 * i], &exec->stage_rows[2 * i + 1]);
}

/* Under the mutex: make the descriptor readable. */
static void signal_event(const execution *exec) {
  static const uint64_t one = 1;
  if (exec->event >= 0 && write(exec->event, &one, sizeof one) < 0) {} /* it cannot be full */
}

/* The job has ended, and its threads too: keep its result, free all else, wake the waiters. */
static void finish_job(execution *exec, int status) {
  exec->seconds = mm_host_clock() - exec->began;
  note_rows(exec);
  if (status >= 0) status = run_result_collect(&exec->result, exec->job, &exec->table, &exec->traffic, &exec->error);
  exec->status = status;
  row_queue *queue = exec->result.queue;
  exec->result.queue = NULL;
  pthread_mutex_lock(&exec->mutex);
  mm_job_free(exec->job);
  exec->job = NULL;
  run_result_free(&exec->result);
  atomic_store(&exec->ended, true);
  if (queue) row_queue_close(queue);
  signal_event(exec);
  pthread_cond_broadcast(&exec->changed);
  pthread_mutex_unlock(&exec->mutex);
  row_queue_release(queue);
}

static void note_told(execution *exec) {
  long long none = 0;
  atomic_compare_exchange_strong(&exec->told_at, &none, mm_milliseconds());
}

static void note_stuck(execution *exec) {
  if (exec->rung || !execution_stuck(exec)) return;
  pthread_mutex_lock(&exec->mutex);
  exec->rung = true;
  signal_event(exec);
  pthread_mutex_unlock(&exec->mutex);
}

/* One poll of the job, by its supervisor or its only waiter. */
static bool look_at_job(execution *exec, int slice) {
  if (exec->limit > 0) {
    double left = exec->began + exec->limit - mm_host_clock();
    if (left <= 0 && !atomic_exchange(&exec->late, true)) {
      note_told(exec);
      mm_job_cancel(exec->job, MM_ELIMIT);
    } else if (left > 0 && left * 1000 < slice) slice = (int)(left * 1000) + 1;
  }
  note_stuck(exec);
  int status = mm_job_wait(exec->job, slice, &exec->error);
  if (status > 0) return false;
  finish_job(exec, status);
  return true;
}

/* ---- Running ---- */

bool execution_run_here(execution *exec) {
  int32_t flags = mm_plan_flags(exec->result.plan);
  if (exec->reads || (flags & (MM_STAGE_USER_CODE | MM_STAGE_STORE)) || exec->result.input.rows > MM_MORSEL)
    return false;
  exec->began = mm_host_clock();
  finish_job(exec, mm_job_run(exec->job, &exec->error));
  return true;
}

void execution_start(execution *exec) {
  exec->began = mm_host_clock();
  int status = mm_job_start(exec->job, &exec->error);
  if (status < 0) finish_job(exec, status);
}

bool execution_wait(execution *exec, int ms) {
  if (atomic_load(&exec->ended)) return true;
  struct timespec until = mm_moment_after(ms);
  pthread_mutex_lock(&exec->mutex);
  if (!exec->supervised && !atomic_load(&exec->ended)) { /* its supervisor goes once it has ended */
    pthread_mutex_unlock(&exec->mutex);
    return look_at_job(exec, ms);
  }
  int waited = 0;
  while (!atomic_load(&exec->ended) && waited != ETIMEDOUT)
    waited = pthread_cond_timedwait(&exec->changed, &exec->mutex, &until);
  pthread_mutex_unlock(&exec->mutex);
  return atomic_load(&exec->ended);
}

void execution_cancel(execution *exec) {
  note_told(exec);
  pthread_mutex_lock(&exec->mutex);
  if (exec->job) mm_job_cancel(exec->job, MM_ECANCEL);
  pthread_mutex_unlock(&exec->mutex);
}

void execution_abandon(execution *exec) {
  pthread_mutex_lock(&exec->mutex);
  if (exec->job && exec->output) mm_sink_abandon(exec->output);
  pthread_mutex_unlock(&exec->mutex);
}

bool execution_stuck(const execution *exec) {
  return atomic_load(&exec->told_at) && !atomic_load(&exec->ended) && execution_grace(exec) == 0;
}

int execution_grace(const execution *exec) {
  long long left = atomic_load(&exec->told_at) + PATIENCE_MS - mm_milliseconds();
  return left > 0 ? (int)left : 0;
}

/* ---- Keeping ---- */

static void supervise_job(void *argument) {
  execution *exec = argument;
  while (!look_at_job(exec, SLICE_MS)) continue;
  pthread_mutex_lock(&exec->mutex);
  exec->supervised = false;
  bool left = exec->left;
  pthread_cond_broadcast(&exec->changed);
  pthread_mutex_unlock(&exec->mutex);
  if (left) free_execution(exec);
}

int execution_supervise(execution *exec, mm_error *error) {
  exec->supervised = true;
  int failed = mm_thread_run(supervise_job, exec);
  if (failed == 0) return 0;
  exec->supervised = false;
  return mm_host_fail(error, MM_ENOMEM, "no-thread", "cannot start a thread: %s", strerror(-failed));
}

void execution_leave(execution *exec) {
  if (exec->process != getpid()) return; /* a child of fork: its threads are elsewhere */
  pthread_mutex_lock(&exec->mutex);
  exec->left = true;
  bool supervised = exec->supervised;
  pthread_mutex_unlock(&exec->mutex);
  if (!supervised) free_execution(exec);
}

/* ---- Watching ---- */

int execution_descriptor(execution *exec) {
  pthread_mutex_lock(&exec->mutex);
  if (exec->event < 0)
    exec->event = eventfd(exec->rung || atomic_load(&exec->ended) ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK);
  int event = exec->event;
  pthread_mutex_unlock(&exec->mutex);
  return event;
}

void execution_progress(execution *exec, mm_progress *progress) {
  pthread_mutex_lock(&exec->mutex);
  if (exec->job) mm_job_progress(exec->job, progress);
  else *progress = exec->progress;
  pthread_mutex_unlock(&exec->mutex);
}
