/* fields.h - the columns of a schema as lists of Python.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* A list of what the columns of a schema are: str, str, bool. NULL and an exception. */
enum { MM_FIELD_NAMES, MM_FIELD_TYPES, MM_FIELD_NULLABLES };
PyObject *mm_fields_list(const mm_schema *schema, int what);
