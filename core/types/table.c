/* table.c - batches in order.
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"

int mm_table_append(mm_table *table, mm_batch *take, mm_error *error) {
  if (table->count == table->capacity) {
    int64_t capacity = table->capacity ? table->capacity * 2 : 16, width = sizeof *table->batches;
    mm_batch *batches = memory_resize(table->batches, table->capacity * width, capacity * width);
    if (!batches) {
      mm_batch_free(take);
      return error_fail_memory(error, capacity * width);
    }
    table->batches = batches;
    table->capacity = capacity;
  }
  table->rows += take->length;
  table->batches[table->count++] = *take;
  *take = (mm_batch){0};
  return 0;
}

void mm_table_free(mm_table *table) {
  for (int64_t i = 0; i < table->count; i++) mm_batch_free(&table->batches[i]);
  memory_release(table->batches, table->capacity * (int64_t)sizeof *table->batches);
  mm_schema_free(&table->schema);
  *table = (mm_table){0};
}
