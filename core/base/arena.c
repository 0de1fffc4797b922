/* arena.c - bytes that never move and are freed together: text that kernels make, long text of keys.
 * SPDX-License-Identifier: MIT */
#include "base/arena.h"

enum { CHUNK = 4096 };

static mm_buffer *chunk(mm_arena *arena, int64_t i) { return (mm_buffer *)arena->chunks.data + i; }
static int64_t chunk_count(const mm_arena *arena) { return arena->chunks.size / (int64_t)sizeof(mm_buffer); }

uint8_t *mm_arena_take(mm_arena *arena, int64_t size) {
  size = (size + 7) & ~INT64_C(7);
  for (; arena->current < chunk_count(arena); arena->current++) {
    mm_buffer *from = chunk(arena, arena->current);
    if (from->size + size <= from->capacity) {
      from->size += size;
      return from->data + from->size - size;
    }
  }
  /* Chunks grow with the arena, so that their number stays small. */
  int64_t count = chunk_count(arena), capacity = CHUNK << (count < 8 ? count : 8);
  mm_buffer fresh = {0};
  if (mm_buffer_reserve(&fresh, size > capacity ? size : capacity, NULL) < 0) return NULL;
  if (mm_buffer_append(&arena->chunks, &fresh, sizeof fresh, NULL) < 0) {
    mm_buffer_free(&fresh);
    return NULL;
  }
  arena->current = count;
  chunk(arena, count)->size = size;
  return chunk(arena, count)->data;
}

void mm_arena_reset(mm_arena *arena) {
  for (int64_t i = 0; i < chunk_count(arena); i++) chunk(arena, i)->size = 0;
  arena->current = 0;
}

void mm_arena_free(mm_arena *arena) {
  for (int64_t i = 0; i < chunk_count(arena); i++) mm_buffer_free(chunk(arena, i));
  mm_buffer_free(&arena->chunks);
  arena->current = 0;
}
