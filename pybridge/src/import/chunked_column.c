/* chunked_column.c - one column on its way in: its chunks.
 * SPDX-License-Identifier: MIT */
#include "import/chunked_column.h"

int chunked_column_append(chunked_column *to, mm_column *take) {
  if (to->count == to->capacity) {
    int64_t capacity = to->capacity ? to->capacity * 2 : 4;
    mm_column *chunks = PyMem_Realloc(to->chunks, (size_t)capacity * sizeof *chunks);
    if (!chunks) {
      mm_column_release(take);
      PyErr_NoMemory();
      return -1;
    }
    to->chunks = chunks;
    to->capacity = capacity;
  }
  to->rows += take->length;
  to->chunks[to->count++] = *take;
  *take = (mm_column){0};
  return 0;
}

void chunked_column_free(chunked_column *gone) {
  for (int64_t i = 0; i < gone->count; i++) mm_column_release(&gone->chunks[i]);
  PyMem_Free(gone->chunks);
}
