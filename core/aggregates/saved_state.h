/* saved_state.h - states as values of a binary column.
 *
 *   | version | letter of the states | letter of the type | unit | body ... |     all numbers little-endian
 *
 * The body is the function's own. The form is the same on every machine and stays what it is: another one gets another
 * version.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "aggregates/aggregate.h"

/* A column of n states. */
int saved_state_write(const accumulator *acc, void *const *states, int64_t n, mm_column *column, mm_error *error);
/* Add the states in the rows of a binary column to their groups; null is no state. */
int saved_state_read(accumulator *acc, const mm_column *column, const row_vector *rows, mm_error *error);
/* The bytes are no state of this kind. MM_EDATA. */
int saved_state_refuse(mm_error *error);

/* More rows than there can be: a bound of counts that are read, so that nothing overflows. */
#define SAVED_ROWS_MOST (INT64_C(1) << 48)
