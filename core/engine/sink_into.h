/* sink_into.h - results computed where they are wanted.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "engine/job_state.h"

/* Let the stage before a sink that has a destination compute right there (sink_into.c). */
void sink_into_aim(mm_job *job, const segment *s);
