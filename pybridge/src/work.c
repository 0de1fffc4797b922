/* work.c - jobs from their start to their end, with a keeper where nobody waits all the time.
 * SPDX-License-Identifier: MIT */
#include "work.h"
#include "session.h"
#include "base/clock.h"
#include "host.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SLICE_MS = 50, PATIENCE_MS = 2000 };

/* ---- Making ---- */

static mm_job *make_job(mm_work *work, const mm_pulse *pulse, mm_error *error) {
  mm_job_options options = {.threads = work->threads};
  mm_source *source = work->outcome.source ? work->outcome.source : mm_source_table(&work->outcome.feed, error);
  work->outcome.source = NULL;
  mm_job *job = source ? mm_plan_job(work->outcome.plan, source, &options, error) : NULL;
  mm_stage *sink = job ? mm_outcome_sink(&work->outcome, pulse, error) : NULL;
  if (work->outcome.path) work->output = sink;
  if (sink && mm_job_add(job, sink, error) >= 0) return job;
  mm_job_free(job);
  return NULL;
}

/* More threads than morsels would find nothing to do; of files nobody knows how many there are. */
static int32_t useful_threads(int32_t wanted, const mm_outcome *outcome) {
  int64_t morsels = (outcome->feed.rows + MM_MORSEL - 1) / MM_MORSEL;
  int32_t threads = wanted > 0 ? wanted : mm_processors();
  if (outcome->source) return threads;
  return morsels < 1 ? 1 : morsels < threads ? (int32_t)morsels : threads;
}

mm_work *mm_work_new(mm_outcome *take, int32_t threads, double limit, double asked, const mm_pulse *pulse,
                     mm_error *error) {
  mm_work *work = calloc(1, sizeof *work);
  if (!work) {
    mm_outcome_free(take);
    mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a job");
    return NULL;
  }
  work->outcome = *take;
  *take = (mm_outcome){0};
  work->threads = useful_threads(threads, &work->outcome);
  work->reads = work->outcome.source != NULL;
  work->limit = limit;
  work->asked = asked;
  work->process = getpid();
  work->event = -1;
  pthread_mutex_init(&work->mutex, NULL);
  mm_cond_init(&work->changed);
  mm_live_add(MM_LIVE_jobs, 1);
  work->job = make_job(work, pulse, error);
  if (work->job) return work;
  mm_work_leave(work);
  return NULL;
}

static void free_work(mm_work *work) {
  mm_job_free(work->job);
  mm_outcome_free(&work->outcome);
  mm_table_free(&work->table);
  free(work->stage_rows);
  if (work->event >= 0) close(work->event);
  pthread_mutex_destroy(&work->mutex);
  pthread_cond_destroy(&work->changed);
  free(work);
  mm_live_add(MM_LIVE_jobs, -1);
}

/* ---- Ending ---- */

static void note_rows(mm_work *work) {
  mm_job_progress(work->job, &work->progress);
  int64_t in, out;
  while (mm_job_stage_rows(work->job, work->stages, &in, &out) == 0) work->stages++;
  work->stage_rows = calloc(2 * (size_t)work->stages + 1, sizeof *work->stage_rows);
  for (int32_t i = 0; i < work->stages && work->stage_rows; i++)
    mm_job_stage_rows(work->job, i, &work->stage_rows[2 * i], &work->stage_rows[2 * i + 1]);
}

/* Under the mutex: wake who waits for the descriptor. */
static void ring(const mm_work *work) {
  static const uint64_t one = 1;
  if (work->event >= 0 && write(work->event, &one, sizeof one) < 0) {} /* it cannot be full */
}

/* The job is over, and its threads are gone: keep its result, give back all else, tell who waits. */
static void finish(mm_work *work, int status) {
  work->seconds = mm_host_clock() - work->began;
  note_rows(work);
  if (status >= 0) status = mm_outcome_collect(&work->outcome, work->job, &work->table, &work->traffic, &work->error);
  work->status = status;
  mm_queue *queue = work->outcome.queue;
  work->outcome.queue = NULL;
  pthread_mutex_lock(&work->mutex);
  mm_job_free(work->job);
  work->job = NULL;
  mm_outcome_free(&work->outcome);
  atomic_store(&work->ended, true);
  if (queue) mm_queue_close(queue);
  ring(work);
  pthread_cond_broadcast(&work->changed);
  pthread_mutex_unlock(&work->mutex);
  mm_queue_release(queue);
}

static void note_told(mm_work *work) {
  long long none = 0;
  atomic_compare_exchange_strong(&work->told_at, &none, mm_milliseconds());
}

static void note_stuck(mm_work *work) {
  if (work->rung || !mm_work_stuck(work)) return;
  pthread_mutex_lock(&work->mutex);
  work->rung = true;
  ring(work);
  pthread_mutex_unlock(&work->mutex);
}

/* One look at the job by who keeps it. */
static bool look(mm_work *work, int slice) {
  if (work->limit > 0) {
    double left = work->began + work->limit - mm_host_clock();
    if (left <= 0 && !atomic_exchange(&work->late, true)) {
      note_told(work);
      mm_job_cancel(work->job, MM_ELIMIT);
    } else if (left > 0 && left * 1000 < slice) slice = (int)(left * 1000) + 1;
  }
  note_stuck(work);
  int status = mm_job_wait(work->job, slice, &work->error);
  if (status > 0) return false;
  finish(work, status);
  return true;
}

/* ---- Running ---- */

bool mm_work_run_here(mm_work *work) {
  int32_t flags = mm_plan_flags(work->outcome.plan);
  if (work->reads || (flags & (MM_STAGE_USER_CODE | MM_STAGE_STORE)) || work->outcome.feed.rows > MM_MORSEL)
    return false;
  work->began = mm_host_clock();
  finish(work, mm_job_run(work->job, &work->error));
  return true;
}

void mm_work_start(mm_work *work) {
  work->began = mm_host_clock();
  int status = mm_job_start(work->job, &work->error);
  if (status < 0) finish(work, status);
}

bool mm_work_wait(mm_work *work, int ms) {
  if (atomic_load(&work->ended)) return true;
  struct timespec until = mm_moment_after(ms);
  pthread_mutex_lock(&work->mutex);
  if (!work->kept && !atomic_load(&work->ended)) { /* its keeper goes once it has ended */
    pthread_mutex_unlock(&work->mutex);
    return look(work, ms);
  }
  int waited = 0;
  while (!atomic_load(&work->ended) && waited != ETIMEDOUT)
    waited = pthread_cond_timedwait(&work->changed, &work->mutex, &until);
  pthread_mutex_unlock(&work->mutex);
  return atomic_load(&work->ended);
}

void mm_work_cancel(mm_work *work) {
  note_told(work);
  pthread_mutex_lock(&work->mutex);
  if (work->job) mm_job_cancel(work->job, MM_ECANCEL);
  pthread_mutex_unlock(&work->mutex);
}

void mm_work_abandon(mm_work *work) {
  pthread_mutex_lock(&work->mutex);
  if (work->job && work->output) mm_sink_abandon(work->output);
  pthread_mutex_unlock(&work->mutex);
}

bool mm_work_stuck(const mm_work *work) {
  return atomic_load(&work->told_at) && !atomic_load(&work->ended) && mm_work_patience(work) == 0;
}

int mm_work_patience(const mm_work *work) {
  long long left = atomic_load(&work->told_at) + PATIENCE_MS - mm_milliseconds();
  return left > 0 ? (int)left : 0;
}

/* ---- Keeping ---- */

static void *keep(void *argument) {
  mm_work *work = argument;
  while (!look(work, SLICE_MS)) continue;
  pthread_mutex_lock(&work->mutex);
  work->kept = false;
  bool left = work->left;
  pthread_cond_broadcast(&work->changed);
  pthread_mutex_unlock(&work->mutex);
  if (left) free_work(work);
  return NULL;
}

int mm_work_keep(mm_work *work, mm_error *error) {
  pthread_t thread;
  pthread_attr_t detached;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  work->kept = true;
  int failed = pthread_create(&thread, &detached, keep, work);
  pthread_attr_destroy(&detached);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!failed) return 0;
  work->kept = false;
  return mm_host_fail(error, MM_ENOMEM, "no-thread", "cannot start a thread: %s", strerror(failed));
}

void mm_work_leave(mm_work *work) {
  if (work->process != getpid()) return; /* a child of fork: its threads are elsewhere */
  pthread_mutex_lock(&work->mutex);
  work->left = true;
  bool kept = work->kept;
  pthread_mutex_unlock(&work->mutex);
  if (!kept) free_work(work);
}

/* ---- Watching ---- */

int mm_work_descriptor(mm_work *work) {
  pthread_mutex_lock(&work->mutex);
  if (work->event < 0)
    work->event = eventfd(work->rung || atomic_load(&work->ended) ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK);
  int event = work->event;
  pthread_mutex_unlock(&work->mutex);
  return event;
}

void mm_work_progress(mm_work *work, mm_progress *progress) {
  pthread_mutex_lock(&work->mutex);
  if (work->job) mm_job_progress(work->job, progress);
  else *progress = work->progress;
  pthread_mutex_unlock(&work->mutex);
}
