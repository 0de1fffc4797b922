/* zstd_memory.c - memory functions for the zstd library, which does not tell sizes when it frees.
 * SPDX-License-Identifier: MIT */
#include "io/zstd_memory.h"
#include "base/alloc.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { HEADER = 64 }; /* keeps the alignment */

static void *allocate_zstd(void *self, size_t size) {
  (void)self;
  uint8_t *memory = memory_allocate((int64_t)size + HEADER);
  if (!memory) return NULL;
  memcpy(memory, &size, sizeof size);
  return memory + HEADER;
}

static void release(void *self, void *memory) {
  (void)self;
  size_t size;
  if (!memory) return;
  uint8_t *start = (uint8_t *)memory - HEADER;
  memcpy(&size, start, sizeof size);
  memory_release(start, (int64_t)size + HEADER);
}

const ZSTD_customMem zstd_memory = {allocate_zstd, release, NULL};
