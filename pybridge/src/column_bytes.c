/* column_bytes.c - the memory that a column takes, by its parts.
 * SPDX-License-Identifier: MIT */
#include "column_bytes.h"

column_bytes mmpy_column_measure(const mm_column *column) {
  column_bytes bytes = {.block = {column->valid_block, column->data_block, column->offsets_block}};
  int64_t bits = (column->length + 7) / 8, width = mm_type_width(column->type);
  if (column->valid) bytes.size[0] = bits;
  if (column->type.id == MM_BOOL) bytes.size[1] = bits;
  else if (width) bytes.size[1] = column->length * width;
  if (!column->offsets) return bytes;
  bytes.size[1] = (int64_t)column->offsets[column->length] - column->offsets[0];
  bytes.size[2] = (column->length + 1) * 4;
  return bytes;
}

int64_t mmpy_column_bytes(const mm_column *column) {
  column_bytes bytes = mmpy_column_measure(column);
  return bytes.size[0] + bytes.size[1] + bytes.size[2];
}

int64_t mmpy_table_bytes(const mm_table *table) {
  int64_t bytes = 0;
  for (int64_t i = 0; i < table->count; i++)
    for (int32_t c = 0; c < table->batches[i].count; c++) bytes += mmpy_column_bytes(&table->batches[i].columns[c]);
  return bytes;
}
