/* arena.h - bytes that never move and are freed together.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* Bytes that never move and are freed together. All zero means empty. */
typedef struct arena {
  mm_buffer chunks; /* of mm_buffer */
  int64_t current;  /* chunk that gives bytes now */
} arena;

uint8_t *arena_take(arena *arena, int64_t size); /* 8-byte aligned; NULL: out of memory */
void arena_reset(arena *arena);                  /* forget the bytes, keep the memory */
void arena_free(arena *arena);
