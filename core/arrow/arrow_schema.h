/* arrow_schema.h - schemas of Arrow, out and in.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "arrow_abi.h"
#include "moonmill.h"

/* The type of a field; of its values when it is dictionary encoded. */
int arrow_type_of(const struct ArrowSchema *field, mm_type *type, mm_error *error);
