/* requested_schema.h - what the consumer of a capsule asks for.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

struct ArrowSchema;
struct ArrowArray;

/* requested_schema, the only argument: the columns for which it asks for long offsets (free it), or NULL; -1 and an
 * exception where it is of other columns. What else it asks for is not given, as the protocol allows. */
int  requested_schema_parse(module_state *state, const mm_schema *schema, bool plain, PyObject *arguments,
                        PyObject *keywords, bool **is_long);
void requested_schema_apply(struct ArrowSchema *schema, int64_t count, bool plain, const bool *is_long);
/* Released on failure. */
int  requested_schema_lengthen(struct ArrowArray *array, int64_t count, bool plain, const bool *is_long,
                               mm_error *error);
