/* host.h - what lua/host offers to Lua and to C, beside moonmill.h. Read by LuaJIT too: the same law holds.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"
#pragma GCC visibility push(default)

/* A stage that calls a Lua function for each row. `shipment` (copied) is what moonmill.rows.ship made of the function, its upvalues,
 * the parameters and the description of its outputs; every worker unpacks it in a Lua state of its own. `filter`: the function is a
 * predicate of `where`; else its results are appended to the columns. `out` (copied) names all columns of the result. */
mm_stage *mm_stage_rows(const char *shipment, int64_t size, const mm_schema *in, const mm_schema *out, bool filter,
                        int32_t place, mm_error *error);

#pragma GCC visibility pop
