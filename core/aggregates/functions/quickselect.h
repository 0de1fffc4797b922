/* quickselect.h - order statistics of many numbers.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "engine/job_state.h"
#include "moonmill.h"

/* The k-th least of n numbers, from 0, and the one after it, or the same where it is the last; reorders them. With the
 * threads of a job, where there is one, which is worth it for some hundred thousand. */
int quickselect(mm_job *job, int64_t *x, int64_t n, int64_t k, int64_t pair[2], mm_error *error);
