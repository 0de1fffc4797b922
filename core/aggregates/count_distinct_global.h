/* count_distinct_global.h - the exact number of distinct values without keys, in one set of all workers.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* Values of which a stage counts how many are different, added to by all workers. */
typedef struct mm_census mm_census;
int mm_census_init(mm_census **census, mm_error *error);
void mm_census_stop(mm_census *census); /* any thread */
void mm_census_free(mm_census *census);
