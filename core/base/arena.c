/* arena.c - bytes that never move and are freed together: text that kernels make, long text of keys.
 * SPDX-License-Identifier: MIT */
#include "base/arena.h"

enum { CHUNK = 4096 };

static mm_buffer *chunk(arena *a, int64_t i) { return (mm_buffer *)a->chunks.data + i; }
static int64_t chunk_count(const arena *a) { return a->chunks.size / (int64_t)sizeof(mm_buffer); }

uint8_t *arena_take(arena *a, int64_t size) {
  size = (size + 7) & ~INT64_C(7);
  for (; a->current < chunk_count(a); a->current++) {
    mm_buffer *from = chunk(a, a->current);
    if (from->size + size <= from->capacity) {
      from->size += size;
      return from->data + from->size - size;
    }
  }
  /* Chunks grow with the arena, so that their number stays small. */
  int64_t count = chunk_count(a), capacity = CHUNK << (count < 8 ? count : 8);
  mm_buffer fresh = {0};
  if (mm_buffer_reserve(&fresh, size > capacity ? size : capacity, NULL) < 0) return NULL;
  if (mm_buffer_append(&a->chunks, &fresh, sizeof fresh, NULL) < 0) {
    mm_buffer_free(&fresh);
    return NULL;
  }
  a->current = count;
  chunk(a, count)->size = size;
  return chunk(a, count)->data;
}

void arena_reset(arena *a) {
  for (int64_t i = 0; i < chunk_count(a); i++) chunk(a, i)->size = 0;
  a->current = 0;
}

void arena_free(arena *a) {
  for (int64_t i = 0; i < chunk_count(a); i++) mm_buffer_free(chunk(a, i));
  mm_buffer_free(&a->chunks);
  a->current = 0;
}
