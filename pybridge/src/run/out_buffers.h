/* out_buffers.h - memory that the caller gives for columns of a result.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/result_state.h"

/* Take the memory that is given, for opening: the targets are made, the columns are not. -1 and an exception. */
int  mm_outs_take(mm_outcome *outcome, plan_object *plan, PyObject *outs);
/* Can values of a type be computed into memory that is allocated before? */
bool mm_has_width(mm_type type);
