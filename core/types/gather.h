/* gather.h - rows picked from several columns or batches.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* A row of one of several columns. */
typedef struct row_ref {
  int32_t part, row;
} row_ref;
/* Column made of picked rows of parts of equal type, in the order of `picks`. Copies. */
int column_gather(mm_column *to, const mm_column *const *parts, int64_t part_count, const row_ref *picks, int64_t count,
                  mm_error *error);
/* Where the rows of a batch whose bits are set come from, as mm_batch.origin tells it. */
void batch_origins(const mm_batch *batch, const uint64_t *selected, int32_t *origins);
/* Batch of picked rows of batches of one schema. */
int batch_gather(mm_batch *to, const mm_batch *from, int64_t batches, const row_ref *picks, int64_t count,
                 mm_error *error);
