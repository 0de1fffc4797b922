/* csv_infer.h - the types of columns, by the first rows.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "formats/csv/csv_splitter.h"

/* What the first rows showed. */
typedef struct mm_sample {
  int64_t rows; /* to look at; then: looked at */
  bool *nulls;  /* by column of the first file: it had some */
} mm_sample;
int mm_infer(mm_cutter *cutter, mm_piece *const *pieces, int64_t count, mm_sample *sample, mm_schema *schema,
             mm_error *error);
