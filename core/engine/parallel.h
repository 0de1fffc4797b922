/* parallel.h - independent tasks of a stage that finishes.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "engine/job_state.h"
#include "moonmill.h"

/* Run body(context, 0 .. count - 1) on the job's threads, the caller's among them, and wait. Tasks start in order; the
 * tasks of a task run on its thread alone. After a failure no further one starts, and the failure of the lowest task
 * wins. A cancelled job starts no task. For `finish` of a stage. */
int parallel_run(mm_job *job, int64_t count, int (*body)(void *context, int64_t task, mm_error *error), void *context,
                 mm_error *error);

/* With job->mutex held, which is given up meanwhile: take part in the job's tasks. False: there is none left. */
bool parallel_help(mm_job *job);
