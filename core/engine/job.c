/* job.c - a job from its making to its end: threads, segments in turn, state, cancelling, progress.
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/os.h"
#include "engine/parallel.h"
#include "engine/segment.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum { WAIT_SLICE_MS = 10, MAX_THREADS = 1024 };

int32_t mm_processors(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

mm_job *mm_job_new(mm_source *source, const mm_job_options *options, mm_error *error) {
  if (mm_isa_check(error) < 0) {
    mm_source_free(source);
    return NULL;
  }
  mm_job *job = memory_allocate_zero(sizeof *job);
  if (!job || mm_schema_copy(&job->schema, &source->schema, error) < 0) {
    if (!job) error_fail_memory(error, sizeof *job);
    memory_release(job, sizeof *job);
    mm_source_free(source);
    return NULL;
  }
  job->source = source;
  if (options) job->options = *options;
  mm_job_options *o = &job->options;
  if (o->threads <= 0) o->threads = mm_processors();
  if (o->threads > MAX_THREADS) o->threads = MAX_THREADS;
  pthread_mutex_init(&job->mutex, NULL);
  mm_cond_init(&job->changed);
  pthread_cond_init(&job->wanted, NULL);
  job->read.bytes_total = -1;
  return job;
}

int mm_job_add(mm_job *job, mm_stage *stage, mm_error *error) {
  if (job->stage_count == job->stage_capacity) {
    int64_t width = (int64_t)sizeof *job->stages, old = job->stage_capacity;
    mm_stage **stages = memory_resize(job->stages, old * width, (old + 16) * width);
    if (!stages) {
      mm_stage_free(stage);
      return error_fail_memory(error, (old + 16) * width);
    }
    job->stages = stages;
    job->stage_capacity += 16;
  }
  stage->index = job->stage_count;
  job->stages[job->stage_count++] = stage;
  return 0;
}

static const mm_schema *schema_after(const mm_job *job, int32_t stage) {
  return job->stages[stage]->out.count ? &job->stages[stage]->out : job->incoming[stage];
}

static void forget_store(mm_job *job) {
  mm_store_release(job->store);
  job->store = NULL;
}

/* The running segment is over: finish it, then start the next or end the job. Called by its last worker, with
 * job->mutex held, which is given up while the breaker finishes, so that the job can be watched and cancelled. */
static void next_segment(mm_job *job) {
  segment *s = &job->segment;
  int32_t breaker = s->breaker, after = breaker + 1;
  mm_error error = {.row = -1, .place = -1, .stage = -1};
  mm_table result = {0};
  int status = mm_schema_copy(&result.schema, schema_after(job, breaker), &error);
  pthread_mutex_unlock(&job->mutex);
  if (status >= 0) status = segment_finish(job, &result, &error);
  if (status < 0 || after == job->stage_count) forget_store(job);
  pthread_mutex_lock(&job->mutex);

  atomic_fetch_add(&job->stage_rows[2 * breaker + 1], result.rows);
  if (s->first == 0 && s->source->vtable->progress) s->source->vtable->progress(s->source, &job->read);
  segment_free(job);
  bool more = status >= 0 && after < job->stage_count;
  if (more) {
    mm_source *source = mm_source_table(&result, &error);
    status = source ? segment_start(job, source, after, &error) : error.code;
  }
  mm_table_free(&result);
  if (more && status >= 0) {
    job->generation++;
  } else {
    segment_free(job);
    job->error = error;
    job->error.code = status < 0 ? status : 0;
    job->state = status >= 0 ? MM_JOB_DONE : atomic_load(&job->cancel) ? MM_JOB_CANCELLED : MM_JOB_FAILED;
  }
  job->arrived = 0;
  pthread_cond_broadcast(&job->wanted);
  if (job->state != MM_JOB_RUNNING) pthread_cond_broadcast(&job->changed);
}

static void thread_body(void *argument) {
  mm_job *job = argument;
  int64_t seen = 0;
  pthread_mutex_lock(&job->mutex);
  for (;;) {
    while (job->state == MM_JOB_RUNNING && (job->generation == seen || job->thread_count == 0))
      if (!parallel_help(job)) pthread_cond_wait(&job->wanted, &job->mutex);
    if (job->state != MM_JOB_RUNNING) break;
    seen = job->generation;
    pthread_mutex_unlock(&job->mutex);
    segment_work(job);
    pthread_mutex_lock(&job->mutex);
    if (++job->arrived == job->thread_count) next_segment(job);
  }
  pthread_mutex_unlock(&job->mutex);
}

static int bind_stages(mm_job *job, mm_error *error) {
  int64_t count = job->stage_count;
  if (!count || !(job->stages[count - 1]->flags & MM_STAGE_BREAKER))
    return error_fail(error, MM_EBUG, "no-sink", "the last stage of a job must be a sink");
  job->incoming = memory_allocate_zero(count * (int64_t)sizeof *job->incoming);
  job->stage_rows = memory_allocate_zero(2 * count * (int64_t)sizeof *job->stage_rows);
  job->threads = memory_allocate_zero(job->options.threads * (int64_t)sizeof *job->threads);
  if (!job->incoming || !job->stage_rows || !job->threads) return error_fail_memory(error, count * 8);
  const mm_schema *in = &job->schema;
  for (int32_t i = 0; i < count; i++) {
    mm_stage *stage = job->stages[i];
    job->incoming[i] = in;
    if (stage->vtable->bind) TRY(stage->vtable->bind(stage, in, error));
    in = schema_after(job, i);
  }
  return 0;
}

/* Without any thread, those who wait for the job do its work. Code of others cannot be stopped then, so it is
 * refused. */
static bool prepare_alone(mm_job *job) {
  for (int32_t i = 0; i < job->stage_count; i++)
    if (job->stages[i]->flags & MM_STAGE_USER_CODE) return false;
  job->alone = memory_allocate_zero(sizeof *job->alone);
  return job->alone != NULL;
}

/* Start as many threads as the host gives. They wait until their number is known. */
static int start_threads(mm_job *job, mm_error *error) {
  int failure = 0;
  int32_t started = 0;
  while (started < job->options.threads && failure == 0) {
    failure = os_threads.start(os_threads.self, &job->threads[started], thread_body, job);
    if (failure == 0) started++;
  }
  pthread_mutex_lock(&job->mutex);
  job->thread_count = started;
  bool works = started > 0 || prepare_alone(job);
  if (!works) job->state = MM_JOB_FAILED;
  pthread_cond_broadcast(&job->wanted);
  pthread_mutex_unlock(&job->mutex);
  if (works) return 0;
  error_fail(&job->error, MM_ENOMEM, "no-thread", "cannot start a thread: %s", strerror(-failure));
  if (error) *error = job->error;
  return MM_ENOMEM;
}

static int begin_job(mm_job *job, mm_error *error) {
  if (job->incoming) /* and not its state, which belongs to the workers */
    return error_fail(error, MM_ESTATE, "started", "the job was started before");
  TRY(bind_stages(job, error));
  bool uses_store = false;
  for (int32_t i = 0; i < job->stage_count; i++) uses_store = uses_store || job->stages[i]->flags & MM_STAGE_STORE;
  if (uses_store) job->store = mm_store_snapshot();
  mm_source *source = job->source;
  job->source = NULL;
  TRY(segment_start(job, source, 0, error));
  job->generation = 1;
  job->state = MM_JOB_RUNNING;
  return 0;
}

int mm_job_start(mm_job *job, mm_error *error) {
  TRY(begin_job(job, error));
  return start_threads(job, error);
}

int mm_job_run(mm_job *job, mm_error *error) {
  job->options.threads = 1;
  TRY(begin_job(job, error));
  job->joined = true;
  job->thread_count = 1;
  while (job->state == MM_JOB_RUNNING) {
    segment_work(job);
    pthread_mutex_lock(&job->mutex);
    next_segment(job);
    pthread_mutex_unlock(&job->mutex);
  }
  return mm_job_wait(job, 0, error);
}

static void join_threads(mm_job *job) {
  if (job->joined) return;
  for (int32_t i = 0; i < job->thread_count; i++) os_threads.join(os_threads.self, job->threads[i]);
  job->joined = true;
}

/* Wake all waiters and cancel running stages. With job->mutex held, so that the segment stays. */
static void interrupt(mm_job *job) {
  for (int32_t i = 0; i < job->stage_count; i++)
    if (job->stages[i]->vtable->interrupt) job->stages[i]->vtable->interrupt(job->stages[i]);
  if (job->segment.source) segment_wake(&job->segment);
}

/* One piece of the work, or the end of a segment, on the calling thread. */
static void step_alone(mm_job *job) {
  worker *w = job->alone;
  if ((w->job || segment_enter(job, w)) && segment_step(w)) return;
  segment_leave(w);
  w->job = NULL;
  pthread_mutex_lock(&job->mutex);
  next_segment(job);
  pthread_mutex_unlock(&job->mutex);
}

/* At least one step, so that a loop of waits that do not wait comes to an end; negative: all of them. */
static void work_alone(mm_job *job, int32_t timeout_ms) {
  int64_t until = mm_milliseconds() + timeout_ms;
  while (job->state == MM_JOB_RUNNING) {
    step_alone(job);
    if (timeout_ms >= 0 && mm_milliseconds() >= until) return;
  }
}

/* A cancellation may come from a signal handler, which can wake nobody; so the waiter looks for it every few
 * milliseconds. */
int mm_job_wait(mm_job *job, int32_t timeout_ms, mm_error *error) {
  if (job->thread_count == 0 && !job->alone)
    return error_fail(error, MM_ESTATE, "not-started", "the job was not started");
  if (job->alone && !atomic_exchange(&job->working, true)) {
    work_alone(job, timeout_ms);
    atomic_store(&job->working, false);
    timeout_ms = 0;
  }
  int64_t end = mm_milliseconds() + timeout_ms;
  pthread_mutex_lock(&job->mutex);
  while (job->state == MM_JOB_RUNNING) {
    int64_t left = timeout_ms < 0 ? WAIT_SLICE_MS : end - mm_milliseconds();
    if (left <= 0) break;
    if (atomic_load(&job->cancel)) interrupt(job);
    struct timespec until = mm_moment_after(left > WAIT_SLICE_MS ? WAIT_SLICE_MS : (int)left);
    pthread_cond_timedwait(&job->changed, &job->mutex, &until);
  }
  int32_t state = job->state;
  pthread_mutex_unlock(&job->mutex);
  if (state == MM_JOB_RUNNING) return 1;
  join_threads(job);
  if (state == MM_JOB_DONE) return 0;
  if (error) *error = job->error;
  return job->error.code;
}

void mm_job_cancel(mm_job *job, int32_t code) {
  int32_t none = 0;
  atomic_compare_exchange_strong(&job->cancel, &none, code < 0 ? code : MM_ECANCEL);
}

void mm_job_progress(mm_job *job, mm_progress *progress) {
  pthread_mutex_lock(&job->mutex);
  *progress = job->read;
  mm_source *source = job->segment.source;
  if (source && job->segment.first == 0 && source->vtable->progress) source->vtable->progress(source, progress);
  progress->stage = job->segment.first;
  progress->state = job->state;
  progress->rows = atomic_load(&job->rows);
  progress->rows_out = job->stage_rows ? atomic_load(&job->stage_rows[2 * job->stage_count - 2]) : 0;
  progress->morsels = atomic_load(&job->morsels);
  pthread_mutex_unlock(&job->mutex);
}

uint64_t mm_job_seed(const mm_job *job) { return job->options.seed; }
const mm_store *mm_job_store(const mm_job *job) { return job->store; }

int mm_job_stage_rows(const mm_job *job, int32_t stage, int64_t *rows_in, int64_t *rows_out) {
  if (stage < 0 || stage >= job->stage_count || !job->stage_rows) return -1;
  *rows_in = atomic_load(&job->stage_rows[2 * stage]);
  *rows_out = atomic_load(&job->stage_rows[2 * stage + 1]);
  return 0;
}

void mm_job_free(mm_job *job) {
  if (!job) return;
  mm_job_cancel(job, MM_ECANCEL);
  if (job->thread_count > 0 || job->alone) mm_job_wait(job, -1, NULL);
  memory_release(job->alone, job->alone ? (int64_t)sizeof *job->alone : 0);
  segment_free(job);
  if (job->source) mm_source_free(job->source);
  forget_store(job);
  int64_t count = job->stage_count;
  for (int64_t i = 0; i < count; i++) mm_stage_free(job->stages[i]);
  memory_release(job->stages, job->stage_capacity * (int64_t)sizeof *job->stages);
  memory_release(job->incoming, job->incoming ? count * (int64_t)sizeof *job->incoming : 0);
  memory_release(job->stage_rows, job->stage_rows ? 2 * count * (int64_t)sizeof *job->stage_rows : 0);
  memory_release(job->threads, job->threads ? job->options.threads * (int64_t)sizeof *job->threads : 0);
  mm_schema_free(&job->schema);
  pthread_mutex_destroy(&job->mutex);
  pthread_cond_destroy(&job->changed);
  pthread_cond_destroy(&job->wanted);
  memory_release(job, sizeof *job);
}

/* ---- Stages and sources, whatever their kind ---- */

void mm_stage_free(mm_stage *stage) {
  if (stage) stage->vtable->free(stage);
}

void mm_sink_abandon(mm_stage *sink) {
  if (sink->vtable->abandon) sink->vtable->abandon(sink);
}

void mm_source_free(mm_source *source) {
  if (source) source->vtable->free(source);
}

int mm_job_take_result(mm_job *job, mm_table *result, int64_t *total_rows, mm_error *error) {
  mm_stage *last = job->stage_count ? job->stages[job->stage_count - 1] : NULL;
  if (!last || !last->vtable->take_result)
    return error_fail(error, MM_ESTATE, "no-table", "the job has no sink that keeps a table");
  if (job->state != MM_JOB_DONE) return error_fail(error, MM_ESTATE, "not-done", "the job has not succeeded");
  last->vtable->take_result(last, result, total_rows);
  return 0;
}
