/* csv_block.h - some rows with the ends of their fields.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "formats/csv/csv_field.h"
#include "formats/csv/csv_splitter.h"

/* Some rows of a span. Field c of row r lies between field_ends[r * stride + c] + 1 and field_ends[r * stride + c +
 * 1], counted from text; an end before its start is a field that is missing. */
typedef struct csv_block {
  const csv_span *span;
  const uint8_t *text;
  const uint32_t *field_ends;
  int64_t stride, rows;
  int64_t size;       /* bytes of the rows */
  int64_t bad_at;     /* start of the ragged row after these, from the text; -1: none */
  int64_t bad_fields; /* its number of fields */
} csv_block;

/* Room for blocks, reused. */
typedef struct csv_blocks {
  const csv_splitter *splitter;
  int64_t columns;
  uint32_t *field_ends, *square; /* `room` each; the second only for ragged rows */
  int64_t room;
} csv_blocks;

int csv_blocks_init(csv_blocks *blocks, const csv_splitter *splitter, mm_error *error);
void csv_blocks_free(csv_blocks *blocks);
/* At most `rows` further rows; false: the chunk is used up. The cursor moves behind the rows given. */
bool csv_blocks_next(csv_blocks *blocks, const csv_chunk *chunk, csv_cursor *cursor, int64_t rows, csv_block *block);

/* The fields of a column of the file. */
void csv_block_fields(const csv_dialect *dialect, const csv_block *block, int64_t column, int64_t columns,
                      csv_field *fields);
