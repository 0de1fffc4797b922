/* column.h - what the core alone may ask of columns; see moonmill.h for the others.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "base/bitmap.h"
#include "moonmill.h"

static inline bool column_is_null(const mm_column *column, int64_t row) {
  return column->type.id == MM_NULL || (column->valid && !bit_get(column->valid, row));
}

/* A fixed-width column of n rows to write; `nulls`: with room for nulls. */
int column_make_result(mm_column *column, mm_type type, int64_t n, bool nulls, mm_error *error);
static inline void column_set_null(mm_column *column, int64_t row) { bit_clear((uint64_t *)column->valid, row); }

int column_fail_text(mm_error *error);                     /* more bytes of text than offsets can count */
int column_fail_opaque(mm_error *error, const char *what); /* what cannot be done with a foreign type */
