/* worker.h - one worker, through the stages of a segment.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "engine/job_state.h"

int worker_open(worker *worker, mm_job *job, mm_error *error);
void worker_close(worker *worker);
/* Run one piece to its cut; returns its partial (NULL when there is none) and leaves failures in worker->failure. */
void *worker_piece(worker *worker, int64_t number, void *piece);
