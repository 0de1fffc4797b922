/* csv_chunk.h - some rows of text, of one file or several.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* Rows of one file within a piece. */
typedef struct mm_span {
  int32_t file;
  bool quotes;           /* it has some */
  int64_t begin, end;    /* of its bytes */
  int64_t first, rows;   /* rows of the piece */
  int64_t line;          /* of the file, from 1, where it begins */
  const int32_t *places; /* column i of the first file stands at places[i]; NULL: at i */
} mm_span;

typedef struct mm_piece {
  mm_block *block;
  uint8_t *text; /* MM_MARGIN bytes before and after are readable; a row ends with a line feed */
  mm_span *spans;
  int32_t span_count, span_capacity;
  int64_t rows;
  mm_error failure; /* what comes after the rows; code 0: nothing */
} mm_piece;

/* Where a reader of a piece is. */
typedef struct mm_cursor {
  int32_t span;
  int64_t at;  /* from the span's begin */
  int64_t row; /* of the piece */
} mm_cursor;

void mm_piece_free(mm_piece *piece);
