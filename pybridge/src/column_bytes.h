/* column_bytes.h - the memory that a column takes.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* Bytes of validity, values and offsets of a column. */
enum { COLUMN_PARTS = 3 };
typedef struct column_bytes {
  const mm_block *block[COLUMN_PARTS];
  int64_t size[COLUMN_PARTS];
} column_bytes;
column_bytes mmpy_column_measure(const mm_column *column);
int64_t mmpy_column_bytes(const mm_column *column);
int64_t mmpy_table_bytes(const mm_table *table);
