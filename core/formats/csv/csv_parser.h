/* csv_parser.h - columns of a batch out of chunks.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "formats/csv/csv_block.h"

/* What a worker needs to parse: room for strips and cells. */
typedef struct mm_loader mm_loader;
int mm_loader_new(const mm_cutter *cutter, const mm_schema *schema, const int32_t *columns, mm_loader **loader,
                  mm_error *error);
void mm_loader_free(mm_loader *loader);
/* As mm_source_class.load. */
int mm_loader_load(mm_loader *loader, const mm_piece *piece, mm_cursor *cursor, int64_t rows, mm_batch *out,
                   mm_error *error);
/* As mm_source_class.locate. */
void mm_locate_row(const mm_cutter *cutter, const mm_piece *piece, int64_t row, mm_error *error);
/* The failure of the ragged row after a strip; `row` counts from the start of the batch, -1: none. */
int mm_fail_ragged(const mm_cutter *cutter, const mm_piece *piece, const mm_strip *strip, int64_t row, mm_error *error);
