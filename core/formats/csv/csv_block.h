/* csv_block.h - some rows with the ends of their fields.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "formats/csv/csv_field.h"
#include "formats/csv/csv_splitter.h"

/* Some rows of a span. Field c of row r lies between marks[r * stride + c] + 1 and marks[r * stride + c + 1], counted
 * from text; an end before its start is a field that is missing. */
typedef struct mm_strip {
  const mm_span *span;
  const uint8_t *text;
  const uint32_t *marks;
  int64_t stride, rows;
  int64_t size;       /* bytes of the rows */
  int64_t bad_at;     /* start of the ragged row after these, from the text; -1: none */
  int64_t bad_fields; /* its number of fields */
} mm_strip;

/* Room for strips, reused. */
typedef struct mm_strips {
  const mm_cutter *cutter;
  int64_t columns;
  uint32_t *marks, *square; /* `room` each; the second only for ragged rows */
  int64_t room;
} mm_strips;

int mm_strips_init(mm_strips *strips, const mm_cutter *cutter, mm_error *error);
void mm_strips_free(mm_strips *strips);
/* At most `rows` further rows; false: the piece is used up. The cursor moves behind the rows given. */
bool mm_strips_next(mm_strips *strips, const mm_piece *piece, mm_cursor *cursor, int64_t rows, mm_strip *strip);

/* The cells of a column of the file. */
void mm_strip_cells(const mm_dialect *dialect, const mm_strip *strip, int64_t column, int64_t columns, mm_cell *cells);
