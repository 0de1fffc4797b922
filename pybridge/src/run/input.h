/* input.h - the Input object, for the files that run it.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/plan.h"

/* Is it an Input? */
bool mmpy_input_is(const module_state *state, PyObject *object);
/* Its files as the source of a plan; the Input is used up. NULL and an exception. */
mm_source *mmpy_input_take(plan_object *plan, PyObject *input);
