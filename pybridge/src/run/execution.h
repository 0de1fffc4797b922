/* execution.h - a job with all that it needs, while it runs and after: no Python in it, so that it may outlive who asked for
 * it.
 *
 * DESIGN. A work that is kept has a thread of its own, which waits for the job: it sees to its time limit, lets a
 * cancel reach what runs, and frees what is left behind. Who runs a job and waits for it anyway does all that itself,
 * and hands it over to a keeper only when it does not stop. All calls go without the GIL unless said otherwise.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/result.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

typedef struct mm_work {
  mm_outcome outcome;
  mm_job *job;
  mm_stage *output;          /* of the job: the sink of a file, or NULL */
  bool    reads;             /* files */
  int32_t threads;
  int32_t stages;
  pid_t   process;
  double  began, limit;      /* seconds; limit 0: none */
  double  asked;             /* the limit that the caller gave: a part of it may be over when the work begins */
  atomic_bool ended;         /* all below is final */
  atomic_llong told_at;      /* to stop, by a cancel or its limit: milliseconds; 0: not */
  atomic_bool late;          /* by its time limit */
  pthread_mutex_t mutex;     /* of what follows */
  pthread_cond_t  changed;   /* ended */
  atomic_bool kept;
  bool left;                 /* nobody waits any more: the keeper frees it */
  int  event;                /* descriptor that is readable when it has ended or is stuck; -1: nobody asked */
  bool rung;                 /* the event, because it is stuck */
  int  status;
  mm_error error;
  mm_progress progress;
  int64_t *stage_rows;       /* in and out of each stage */
  mm_table table;            /* the result */
  mm_traffic traffic;
  double  seconds;
} mm_work;

/* Take an outcome (also on failure) and make its job. `limit`: seconds that it may take, 0: any; `asked`: as messages
 * say it; `pulse` beats while an output waits for its reader, on this thread. NULL and an error. */
mm_work *mm_work_new(mm_outcome *take, int32_t threads, double limit, double asked, const struct mm_pulse *pulse,
                     mm_error *error);
/* Run it to its end on this thread, if it is small; false: it must be started. */
bool mm_work_run_here(mm_work *work);
/* Start its threads; a failure ends it. */
void mm_work_start(mm_work *work);
/* Has it ended, within so many milliseconds? One thread may call this of a work that is not kept, any of one that
 * is. */
bool mm_work_wait(mm_work *work, int milliseconds);
void mm_work_cancel(mm_work *work);
/* It does not stop, and the process may end before it does: its file will not appear. */
void mm_work_abandon(mm_work *work);
/* Start its keeper. On failure there is none, and the work was not started if it was not before. */
int  mm_work_keep(mm_work *work, mm_error *error);
/* Nobody needs it any more: it is freed, by its keeper if it has not ended. The GIL may be held. */
void mm_work_leave(mm_work *work);
/* A descriptor that becomes readable when it has ended or is stuck; -1 and errno. */
int  mm_work_descriptor(mm_work *work);
void mm_work_progress(mm_work *work, mm_progress *progress);
/* Was it told to stop more than 2 s ago, and goes on? */
bool mm_work_stuck(const mm_work *work);
/* Milliseconds until a work that was told to stop is stuck; 0 when it is. */
int  mm_work_patience(const mm_work *work);
