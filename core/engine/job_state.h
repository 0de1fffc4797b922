/* job_state.h - a job, the segment that it runs, and its workers.
 *
 * DESIGN. A job is a source and a list of stages. It is cut into segments after each breaking stage; segments run one
 * after the other, the result table of one being the source of the next. All workers of a job run the same segment:
 *
 *   claim morsel k (one worker at a time, k < head + window)
 *     -> load batch -> streaming stages -> breaking stage, until the morsel is used up          (in parallel)
 *   publish its partial in slot k % window
 *   whoever finds slot `head` ready folds it, and those after it, in order                      (one at a time)
 *
 * Where the breaking stage has no partials, a piece of narrow rows in memory is several morsels: see piece_rows in
 * segment.c. What a morsel holds depends on the rows of the input alone and folds happen in morsel order, so results do
 * not depend on the number of threads, nor on how many rows a batch has. The worker that leaves a segment last finishes
 * it and prepares the next.
 *
 * Locks, outer to inner: claiming > ordering; job.mutex > ordering.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"
#include <pthread.h>
#include <stdatomic.h>

/* What became of a morsel. */
typedef struct morsel_result {
  bool ready;
  void *partial;  /* NULL: nothing to fold */
  mm_error error; /* code 0: none */
} morsel_result;

typedef struct segment {
  mm_source *source;
  int64_t piece_rows; /* that are claimed at a time: a morsel, or several */
  int64_t batch_rows;
  int32_t first, breaker; /* stages first .. breaker - 1 stream into stage `breaker` */

  pthread_mutex_t claiming; /* held while a worker asks the source for a morsel */
  int64_t next;             /* morsel to be claimed; under `claiming` */
  bool exhausted;           /* under `claiming` */

  pthread_mutex_t ordering; /* all below */
  pthread_cond_t advanced;  /* head moved, or the segment stops */
  int64_t head;             /* morsel to be folded next */
  bool folding;             /* a worker is folding, without holding the mutex */
  bool satisfied;           /* the breaker wants no more rows */
  bool failed;              /* a morsel before `head` failed, see `error` */
  int64_t fail_at;          /* lowest morsel known to have failed: no later one starts */
  mm_error error;
  morsel_result *slots; /* `window` of them */
  int64_t window;
} segment;

typedef struct worker worker;
typedef struct task_set task_set;

struct mm_job {
  mm_job_options options;
  mm_source *source; /* of the first segment until it starts */
  mm_stage **stages;
  int32_t stage_count, stage_capacity;
  mm_schema schema;           /* of the source */
  const mm_schema **incoming; /* what comes into each stage */
  segment segment;            /* the one that runs */

  void **threads;
  int32_t thread_count; /* 0 until all have started */
  bool joined;
  worker *alone;       /* no thread could be started: works while the job is waited for. Else NULL */
  atomic_bool working; /* it is at work, in the call of some thread */
  mm_store *store;     /* as it was when the job started, for stages that look into it */

  pthread_mutex_t mutex;
  pthread_cond_t changed; /* state: for those that wait for the job */
  pthread_cond_t wanted;  /* state, generation, thread_count or tasks: for the workers between segments */
  task_set *tasks;        /* of the stage that finishes; NULL: none */
  int32_t arrived;        /* workers that have left the running segment */
  int64_t generation;     /* counts segments */
  int32_t state;          /* MM_JOB_* */
  mm_error error;
  mm_progress read; /* progress of the first source after it is gone */

  _Atomic int32_t cancel; /* 0 or the status asked for */
  _Atomic int64_t rows, morsels;
  _Atomic int64_t *stage_rows; /* in and out of each stage */
};

/* Streams the rows of a morsel through the stages; one per thread and segment. */
struct worker {
  mm_job *job; /* NULL while it is not open */
  void *source_local;
  void **locals;     /* of stages first .. breaker */
  mm_batch *batches; /* [0] is what the source gives, [i] what streaming stage i - 1 gives */
  int64_t *counted;  /* rows in and out per stage since the last morsel */
  int32_t opened;    /* stages that are open */
  bool source_opened;
  mm_error failure; /* of the running morsel; code 0: none */
  int64_t failed_row;
};

/* Flags of stages that follow each other: KEEPS_ROWS where all have it, others where one has. (plan.c) */
int32_t stages_flags(mm_stage *const *stages, int32_t count);
