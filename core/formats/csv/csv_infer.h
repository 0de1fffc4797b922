/* csv_infer.h - the types of columns, by the first rows.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "formats/csv/csv_splitter.h"

/* What the first rows showed. */
typedef struct csv_sample {
  int64_t rows;     /* to look at; then: looked at */
  mm_buffer *nulls; /* empty; then: a byte a column of the first file, 1: it had some */
} csv_sample;
int csv_infer(csv_splitter *splitter, csv_chunk *const *chunks, int64_t count, csv_sample *sample, mm_schema *schema,
              mm_error *error);
