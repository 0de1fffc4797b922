/* execution.h - a job with all that it needs, while it runs and after. It holds no Python object, so it may outlive its
 * caller.
 *
 * DESIGN. A supervised execution has a thread of the pool that waits for the job, enforces its time limit, and frees
 * the execution when the caller has left. A caller that waits for its job anyway does all that itself, and leaves the
 * execution to a supervisor only when the job does not stop. All calls go without the GIL unless said otherwise.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/result.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

typedef struct execution {
  run_result result;
  mm_job *job;
  mm_stage *output;          /* of the job: the sink of a file, or NULL */
  bool    reads;             /* files */
  int32_t threads;
  int32_t stages;
  pid_t   process;
  double  began, limit;      /* seconds; limit 0: none */
  double  asked;             /* the limit that the caller gave: a part of it may be over when the execution begins */
  atomic_bool ended;         /* all below is final */
  atomic_llong told_at;      /* to stop, by a cancel or its limit: milliseconds; 0: not */
  atomic_bool late;          /* by its time limit */
  pthread_mutex_t mutex;     /* of what follows */
  pthread_cond_t  changed;   /* ended */
  atomic_bool supervised;
  bool left;                 /* the caller has left: the supervisor frees it */
  int  event;                /* descriptor that is readable when it has ended or is stuck; -1: not asked for */
  bool rung;                 /* the event was signalled, because it is stuck */
  int  status;
  mm_error error;
  mm_progress progress;
  int64_t *stage_rows;       /* in and out of each stage */
  mm_table table;            /* the result */
  byte_traffic traffic;
  double  seconds;
} execution;

/* Take an result (also on failure) and make its job. `limit`: seconds that it may take, 0: any; `asked`: as messages
 * say it; `pulse` beats while an output waits for its reader, on this thread. NULL and an error. */
execution *execution_new(run_result *take, int32_t threads, double limit, double asked, const struct mm_pulse *pulse,
                     mm_error *error);
/* Run it to its end on this thread, if it is small; false: it must be started. */
bool execution_run_here(execution *exec);
/* Start its threads; a failure ends it. */
void execution_start(execution *exec);
/* Has it ended, within so many milliseconds? Any thread may call this for a supervised execution, one thread for
 * another. */
bool execution_wait(execution *exec, int milliseconds);
void execution_cancel(execution *exec);
/* It does not stop, and the process may end before it does: its file will not appear. */
void execution_abandon(execution *exec);
/* Start its supervisor. On failure there is none, and the execution was not started if it was not before. */
int  execution_supervise(execution *exec, mm_error *error);
/* Drop the caller's reference: it is freed, by its supervisor if it has not ended. The GIL may be held. */
void execution_leave(execution *exec);
/* A descriptor that becomes readable when it has ended or is stuck; -1 and errno. */
int  execution_descriptor(execution *exec);
void execution_progress(execution *exec, mm_progress *progress);
/* Is it still running 2 s after it was told to stop? */
bool execution_stuck(const execution *exec);
/* Milliseconds until an execution that was told to stop is stuck; 0 when it is. */
int  execution_grace(const execution *exec);
