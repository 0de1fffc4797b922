/* segment.h - what the workers of a job do with its segment.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "engine/job_state.h"

int mm_segment_start(mm_job *job, mm_source *take, int32_t first, mm_error *error);
void mm_segment_work(mm_job *job);                                     /* run by every thread */
bool mm_segment_enter(mm_job *job, worker *worker);                    /* mm_segment_work in parts: begin, */
bool mm_segment_step(worker *worker);                                  /* the next piece, while there is one, */
void mm_segment_leave(worker *worker);                                 /* end, also where it did not begin */
int mm_segment_finish(mm_job *job, mm_table *result, mm_error *error); /* run by the last one */
void mm_segment_free(mm_job *job);
void mm_segment_wake(segment *segment); /* those who wait look again whether the job was cancelled */
