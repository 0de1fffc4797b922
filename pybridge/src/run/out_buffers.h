/* out_buffers.h - memory that the caller gives for columns of a result.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/result_state.h"

/* Take the memory that is given, for opening: the targets are made, the columns are not. -1 and an exception. */
int  out_buffers_take(run_result *result, plan_object *plan, PyObject *outs);
/* Can values of a type be computed into memory that is allocated before? */
bool has_fixed_width(mm_type type);
