/* csv_chunk.h - some rows of text, of one file or several.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* Rows of one file within a chunk. */
typedef struct csv_span {
  int32_t file;
  bool quotes;              /* it has some */
  int64_t begin, end;       /* of its bytes */
  int64_t first, rows;      /* rows of the chunk */
  int64_t line;             /* of the file, from 1, where it begins */
  const int32_t *positions; /* column i of the first file stands at positions[i]; NULL: at i */
} csv_span;

typedef struct csv_chunk {
  mm_block *block;
  uint8_t *text; /* CSV_MARGIN bytes before and after are readable; a row ends with a line feed */
  csv_span *spans;
  int32_t span_count, span_capacity;
  int64_t rows;
  mm_error failure; /* what comes after the rows; code 0: nothing */
} csv_chunk;

/* Where a reader of a chunk is. */
typedef struct csv_cursor {
  int32_t span;
  int64_t at;  /* from the span's begin */
  int64_t row; /* of the chunk */
} csv_cursor;

void csv_chunk_free(csv_chunk *chunk);
int csv_chunk_add_span(csv_chunk *chunk, csv_span span, mm_error *error);
/* Fill in file, line and column of a byte of a chunk; `path` is that of the span's file. */
void csv_locate(const char *path, const csv_chunk *chunk, const csv_span *span, int64_t position, mm_error *error);
