/* column.h - what the core alone may ask of columns; see moonmill.h for the others.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "base/bitmap.h"
#include "moonmill.h"

static inline bool mm_is_null(const mm_column *column, int64_t row) {
  return column->type.id == MM_NULL || (column->valid && !mm_bit(column->valid, row));
}

/* A fixed-width column of n rows to write; `nulls`: with room for nulls. */
int mm_emit_column(mm_column *column, mm_type type, int64_t n, bool nulls, mm_error *error);
static inline void mm_emit_null(mm_column *column, int64_t row) { mm_bit_clear((uint64_t *)column->valid, row); }

int mm_fail_text(mm_error *error);                     /* more bytes of text than offsets can count */
int mm_fail_opaque(mm_error *error, const char *what); /* what cannot be done with a foreign type */
