/* segment.h - what the workers of a job do with its segment.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "engine/job_state.h"

int segment_start(mm_job *job, mm_source *take, int32_t first, mm_error *error);
void segment_work(mm_job *job);                                     /* run by every thread */
bool segment_enter(mm_job *job, worker *worker);                    /* segment_work in parts: begin, */
bool segment_step(worker *worker);                                  /* the next piece, while there is one, */
void segment_leave(worker *worker);                                 /* end, also where it did not begin */
int segment_finish(mm_job *job, mm_table *result, mm_error *error); /* run by the last one */
void segment_free(mm_job *job);
void segment_wake(segment *segment); /* those who wait look again whether the job was cancelled */
