/* csv_field.h - one field: where it is, and its value.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* A field: `at` from the block's text, without its quotes. Null: no bytes and not quoted. */
typedef struct csv_field {
  uint32_t at; /* with CELL_* */
  int32_t size;
} csv_field;
enum { FIELD_ESCAPED = 1u << 31, FIELD_QUOTED = 1u << 30, FIELD_AT = (1u << 30) - 1 };
static inline bool csv_field_is_null(csv_field field) { return field.size == 0 && !(field.at & FIELD_QUOTED); }

/* Parse fields into values `out`, from row `at` of it. Nulls become 0. Returns the first row that cannot be, or
 * `rows`. */
typedef int64_t (*csv_field_parser)(const uint8_t *text, const csv_field *fields, int64_t rows, mm_type type, void *out,
                                    int64_t at);
csv_field_parser csv_field_parser_of(mm_type type); /* NULL: text, binary or unreadable types */
