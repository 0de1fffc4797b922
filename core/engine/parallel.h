/* parallel.h - independent tasks of one stage.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "engine/job_state.h"
#include "moonmill.h"

/* Run body(context, 0 .. count - 1) on as many threads as the job has, the caller's among
 * them: others are started for this call and joined. Tasks start in order;
 * after a failure no further one starts; the failure of the lowest task wins. A cancelled job starts no task. For
 * `finish` of a stage. */
int parallel_run(mm_job *job, int64_t count, int (*body)(void *context, int64_t task, mm_error *error), void *context,
                 mm_error *error);
