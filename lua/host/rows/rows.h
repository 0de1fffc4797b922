/* rows.h - row functions as a stage of the core, and what their loops need of C. LuaJIT reads it too, as moonmill.h.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "state/host.h"
#pragma GCC visibility push(default)

/* A stage that calls a Lua function for each row. `shipment` (copied) is what moonmill.rows.serialize made of the
 * function, its upvalues, the parameters and the description of its outputs; every worker unpacks it in a Lua state of
 * its own. `filter`: the function is a predicate of `where`; else its results are appended to the columns. `out`
 * (copied) names all columns of the result. `take` (NULL: none) does for most batches what the function does for each
 * row, and fails where it cannot tell: such a batch is given to the function. */
mm_stage *mm_stage_rows(const char *shipment, int64_t size, const mm_schema *in, const mm_schema *out, bool filter,
                        int32_t place, mm_program *take, mm_error *error);

/* For moonmill explain: run a shipped function over the rows of `sample` in a state of its own and append to `text`
 * whether LuaJIT compiled it. `out` names what leaves the stage. */
int mm_rows_try(const char *shipment, int64_t size, const mm_schema *out, const mm_table *sample, mm_buffer *text,
                mm_error *error);

/* For the loops of moonmill.rows.worker. */
/* The first of n texts that is not valid UTF-8, or -1. */
int64_t mm_rows_invalid_text(const int32_t *offsets, const uint8_t *bytes, int64_t n);
/* Has one of n f64, or f32 if `single`, the bits of a NaN that LuaJIT could mistake for a value of another type? */
bool    mm_rows_odd_nan(const void *values, int64_t n, bool single);
/* Every NaN among n values gets the bits of the operation `plain`. */
void    mm_rows_plain_nan(void *values, int64_t n, bool single);
/* `out` (empty) shares the columns of `in` and has `extra` zero columns behind them. */
int     mm_rows_share(const mm_batch *in, int32_t extra, mm_batch *out, mm_error *error);
/* `out` (empty) gets those of the first n rows that are kept; `track`: with their origin. */
int     mm_rows_keep(const mm_batch *in, const uint8_t *keep, int64_t n, bool track, mm_batch *out, mm_error *error);

#pragma GCC visibility pop
