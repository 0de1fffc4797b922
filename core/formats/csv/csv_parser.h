/* csv_parser.h - columns of a batch out of chunks.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "formats/csv/csv_block.h"

/* What a worker needs to parse: room for strips and cells. */
typedef struct csv_parser csv_parser;
int csv_parser_new(const csv_splitter *cutter, const mm_schema *schema, const int32_t *columns, csv_parser **loader,
                   mm_error *error);
void csv_parser_free(csv_parser *loader);
/* As mm_source_class.load. */
int csv_parser_load(csv_parser *loader, const csv_chunk *piece, csv_cursor *cursor, int64_t rows, mm_batch *out,
                    mm_error *error);
/* As mm_source_class.locate. */
void csv_locate_row(const csv_splitter *cutter, const csv_chunk *piece, int64_t row, mm_error *error);
/* The failure of the ragged row after a strip; `row` counts from the start of the batch, -1: none. */
int csv_fail_ragged(const csv_splitter *cutter, const csv_chunk *piece, const csv_block *strip, int64_t row,
                    mm_error *error);
