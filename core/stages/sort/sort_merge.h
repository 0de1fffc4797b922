/* sort_merge.h - all runs as one.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "engine/job_state.h"
#include "stages/sort/sorter.h"

/* The result: all rows in order. There is a run. */
int sort_merge_all(sorter *s, mm_job *job, mm_table *out, mm_error *error);
