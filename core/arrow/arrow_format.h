/* arrow_format.h - Arrow's format strings and our types.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "arrow_abi.h"
#include "moonmill.h"

enum { ARROW_DEPTH = 64 }; /* levels of nesting that are accepted */

/* Is the schema whole, with all below it? Released, missing and too deep ones are refused. */
int arrow_check_schema(const struct ArrowSchema *schema, mm_error *error);
/* The type of a field, of its values when it is dictionary encoded, where it is a type of ours: 1; 0: it is a
 * foreign one. */
int arrow_native_type(const struct ArrowSchema *field, mm_type *type, mm_error *error);
/* The format string of a type of ours. */
int arrow_format_of(const mm_field *field, char *text, int64_t size, mm_error *error);
