/* arena.h - bytes that never move and are freed together.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* Bytes that never move and are freed together. All zero means empty. */
typedef struct mm_arena {
  mm_buffer chunks; /* of mm_buffer */
  int64_t current;  /* chunk that gives bytes now */
} mm_arena;

uint8_t *mm_arena_take(mm_arena *arena, int64_t size); /* 8-byte aligned; NULL: out of memory */
void mm_arena_reset(mm_arena *arena);                  /* forget the bytes, keep the memory */
void mm_arena_free(mm_arena *arena);
