/* capsule.h - tables and columns as PyCapsules of the Arrow C interfaces.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* Each comes in two forms: the columns of a struct, or `plain`, the only column for itself. */
PyObject *mm_schema_capsule(module_state *state, const mm_schema *schema, bool plain);
PyObject *mm_array_capsules(module_state *state, const mm_schema *schema, const mm_batch *batch, bool plain,
                            const bool *is_long);
PyObject *mm_stream_capsule(module_state *state, const mm_table *table, bool plain, bool *take_is_long);
