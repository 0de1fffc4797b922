/* count_distinct_global.h - the exact number of distinct values without keys, in one set of all workers.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* Values of which a stage counts how many are different, added to by all workers. */
typedef struct distinct_set distinct_set;
int distinct_set_init(distinct_set **distinct, mm_error *error);
void distinct_set_stop(distinct_set *distinct); /* any thread */
void distinct_set_free(distinct_set *distinct);
