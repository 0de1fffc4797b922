/* csv_field.h - one field: where it is, and its value.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* A field: `at` from the strip's text, without its quotes. Null: no bytes and not quoted. */
typedef struct mm_cell {
  uint32_t at; /* with CELL_* */
  int32_t size;
} mm_cell;
enum { CELL_ESCAPED = 1u << 31, CELL_QUOTED = 1u << 30, CELL_AT = (1u << 30) - 1 };
static inline bool mm_cell_null(mm_cell cell) { return cell.size == 0 && !(cell.at & CELL_QUOTED); }

/* Parse cells into values `out`, from row `at` of it. Nulls become 0. Returns the first row that cannot be, or
 * `rows`. */
typedef int64_t (*mm_cell_parser)(const uint8_t *text, const mm_cell *cells, int64_t rows, mm_type type, void *out,
                                  int64_t at);
mm_cell_parser mm_cell_parser_get(mm_type type); /* NULL: text, binary or unreadable types */
