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
#include "io/input_files.h"

typedef struct csv_splitter {
  mm_files *files; /* borrowed */
  bool open;       /* one of them is being read */
  csv_dialect dialect;
  csv_header names;       /* of the first file */
  int32_t **positions;    /* by file; NULL: the order of the first */
  csv_chunk *chunk;       /* in the making */
  int64_t size, capacity; /* bytes of its text */
  int64_t guess;          /* capacity of the next */
  csv_row_scan scan;      /* of its last span */
  bool heading;           /* the header is still to come */
  bool done;
} csv_splitter;

/* `splitter` is zero but for its dialect, and perhaps its names. */
int csv_splitter_init(csv_splitter *splitter, mm_files *files, mm_error *error);
void csv_splitter_free(csv_splitter *splitter);
int csv_splitter_next(csv_splitter *splitter, csv_chunk **chunk, mm_error *error); /* 1, 0 at the end */
