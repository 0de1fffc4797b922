/* arena.c - bytes of text that kernels make: they live until the vector is done, and never move.
 * SPDX-License-Identifier: MIT */
#include "machine.h"

enum { ARENA_BYTES = 64 * 1024 };

/* Put the current buffer aside: its bytes are in use. */
static int set_aside(mm_arena *arena) {
  if (arena->count == arena->capacity) {
    int32_t capacity = arena->capacity ? 2 * arena->capacity : 8;
    int64_t width = sizeof *arena->full;
    mm_buffer *full = mm_resize(arena->full, arena->capacity * width, capacity * width);
    if (!full) return MM_ENOMEM;
    arena->full = full;
    arena->capacity = capacity;
  }
  arena->full[arena->count++] = arena->buffer;
  arena->buffer = (mm_buffer){0};
  return 0;
}

uint8_t *mm_lanes_bytes(mm_lanes *lanes, int64_t size) {
  mm_arena *arena = (mm_arena *)lanes->arena;
  if (arena->buffer.size + size > arena->buffer.capacity) {
    int64_t capacity = 2 * arena->buffer.capacity;
    if (arena->buffer.capacity > 0 && set_aside(arena) < 0) return NULL;
    if (capacity < ARENA_BYTES) capacity = ARENA_BYTES;
    if (mm_buffer_reserve(&arena->buffer, size > capacity ? size : capacity, NULL) < 0) return NULL;
  }
  uint8_t *bytes = arena->buffer.data + arena->buffer.size;
  arena->buffer.size += size;
  return bytes;
}

void mm_arena_reset(mm_arena *arena) {
  while (arena->count > 0) mm_buffer_free(&arena->full[--arena->count]); /* the current one is the largest */
  arena->buffer.size = 0;
}

void mm_arena_free(mm_arena *arena) {
  mm_arena_reset(arena);
  mm_buffer_free(&arena->buffer);
  mm_release(arena->full, arena->capacity * (int64_t)sizeof *arena->full);
  *arena = (mm_arena){0};
}
