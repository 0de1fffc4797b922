/* capsule.h - tables and columns as PyCapsules of the Arrow C interfaces.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* Each comes in two forms: the columns of a struct, or `plain`, the only column for itself. */
PyObject *capsule_of_schema(module_state *state, const mm_schema *schema, bool plain);
PyObject *capsules_of_batch(module_state *state, const mm_schema *schema, const mm_batch *batch, bool plain,
                            const bool *is_long);
PyObject *capsule_of_table(module_state *state, const mm_table *table, bool plain, bool *take_is_long);
