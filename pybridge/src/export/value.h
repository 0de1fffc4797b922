/* value.h - values of columns as Python objects.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* The value of a row of a chunk of a column as a Python object; NULL and an exception, which names the field. */
PyObject *value_make(module_state *state, const mm_field *field, const mm_column *chunk, int64_t row);
