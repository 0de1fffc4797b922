/* arrow_schema.h - schemas of Arrow, out and in.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "arrow_abi.h"
#include "moonmill.h"

/* The type of a field; of its values when it is dictionary encoded. */
int mm_arrow_type(const struct ArrowSchema *field, mm_type *type, mm_error *error);
