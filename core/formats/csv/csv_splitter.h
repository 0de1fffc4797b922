/* csv_splitter.h - files into chunks of MM_MORSEL rows.
 *
 * DESIGN. Reading has four stages:
 *
 *   reader     bytes of one file, decompressed            (zstd: by a thread of its own, ahead of the reader)
 *   splitter   chunks of MM_MORSEL rows of text           (one after the other, under the engine's claim)
 *   block      some hundred rows with their field ends    (in parallel, one worker a chunk)
 *   parser     columns of a batch, wanted ones only
 *
 * The splitter sees every byte once: it counts rows and lines, follows quotes and refuses misplaced ones. So a chunk
 * starts and ends on a row whatever its quotes hold, and what comes after it can trust the quotes.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "formats/csv/csv_chunk.h"
#include "formats/csv/csv_header.h"
#include "formats/csv/csv_scan.h"
#include "io/reader.h"

typedef struct mm_cutter {
  mm_feed feed;
  mm_dialect dialect;
  char **paths;
  mm_block **blocks;          /* read instead of the files, of path_count; or NULL */
  int32_t path_count, opened; /* files opened so far */
  int64_t bytes_total;
  mm_stream *stream; /* of file opened - 1 */
  bool compressed;
  mm_names names;         /* of the first file */
  int32_t **places;       /* by file, of path_count; NULL: the order of the first */
  mm_piece *piece;        /* in the making */
  int64_t size, capacity; /* bytes of its text */
  int64_t guess;          /* capacity of the next */
  mm_row_scan scan;       /* of its last span */
  bool heading;           /* the header is still to come */
  bool done;
} mm_cutter;

int mm_cutter_init(mm_cutter *cutter, const char *const *paths, mm_block *const *blocks, int32_t count,
                   mm_error *error);
void mm_cutter_free(mm_cutter *cutter);
int mm_cutter_next(mm_cutter *cutter, mm_piece **piece, mm_error *error); /* 1, 0 at the end */
