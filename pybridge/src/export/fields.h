/* fields.h - the columns of a schema as lists of Python.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* A list of what the columns of a schema are: str, str, bool. NULL and an exception. */
enum { FIELD_NAMES, FIELD_TYPES, FIELD_NULLABLES };
PyObject *fields_list(const mm_schema *schema, int what);
