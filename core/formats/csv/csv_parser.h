/* csv_parser.h - columns of a batch out of chunks.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "formats/csv/csv_block.h"

/* What a worker needs to parse: room for blocks and fields. */
typedef struct csv_parser csv_parser;
int csv_parser_new(const csv_splitter *splitter, const mm_schema *schema, const int32_t *columns, csv_parser **parser,
                   mm_error *error);
void csv_parser_free(csv_parser *parser);
/* As mm_source_class.load. */
int csv_parser_load(csv_parser *parser, const csv_chunk *chunk, csv_cursor *cursor, int64_t rows, mm_batch *out,
                    mm_error *error);
/* As mm_source_class.locate. */
void csv_locate_row(const csv_splitter *splitter, const csv_chunk *chunk, int64_t row, mm_error *error);
/* The failure of the ragged row after a block; `row` counts from the start of the batch, -1: none. */
int csv_fail_ragged(const csv_splitter *splitter, const csv_chunk *chunk, const csv_block *block, int64_t row,
                    mm_error *error);
