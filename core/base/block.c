/* block.c - bytes shared by columns, counted.
 *
 * DESIGN. A block of ours is one allocation: a header of 64 bytes, the data, the padding. A block that took a buffer's
 * bytes or shows foreign ones is a header alone.
 *
 * SPDX-License-Identifier: MIT */
#include "base/block.h"
#include "base/alloc.h"
#include "base/error.h"
#include <stdatomic.h>
#include <string.h>

enum { PADDING = 64 };

struct mm_block {
  _Alignas(64) atomic_int_least64_t references;
  uint8_t *data;
  int64_t size;
  int64_t allocated; /* bytes of the allocation that holds the data: with this header, or a buffer's; 0: foreign */
  bool within;       /* the data follows this header */
  void *owner;       /* of a foreign block */
  void (*drop)(void *owner);
};

enum { HEADER = sizeof(mm_block) };

mm_block *mm_block_new(int64_t size, mm_error *error) {
  int64_t allocated;
  mm_block *block = NULL;
  if (size >= 0 && !__builtin_add_overflow(size, HEADER + PADDING, &allocated)) block = memory_allocate(allocated);
  if (!block) {
    error_fail_memory(error, size);
    return NULL;
  }
  atomic_init(&block->references, 1);
  block->data = (uint8_t *)block + HEADER;
  block->within = true;
  block->size = size;
  block->allocated = allocated;
  block->owner = NULL;
  block->drop = NULL;
  return block;
}

mm_block *block_new_zero(int64_t size, mm_error *error) {
  mm_block *block = mm_block_new(size, error);
  if (block) memset(block->data, 0, (size_t)size + PADDING);
  return block;
}

mm_block *mm_block_foreign(const void *data, int64_t size, void *owner, void (*drop)(void *owner), mm_error *error) {
  mm_block *block = memory_allocate(HEADER);
  if (!block) {
    error_fail_memory(error, HEADER);
    return NULL;
  }
  atomic_init(&block->references, 1);
  block->data = (uint8_t *)(uintptr_t)data; /* never written: mm_block_sole is false */
  block->within = false;
  block->size = size;
  block->allocated = 0;
  block->owner = owner;
  block->drop = drop;
  return block;
}

mm_block *mm_block_take(mm_buffer *buffer, mm_error *error) {
  if (mm_buffer_reserve(buffer, PADDING, error) < 0) return NULL;
  mm_block *block = mm_block_foreign(buffer->data, buffer->size, NULL, NULL, error);
  if (!block) return NULL;
  block->allocated = buffer->capacity;
  *buffer = (mm_buffer){0};
  return block;
}

void mm_block_retain(mm_block *block) {
  if (block) atomic_fetch_add_explicit(&block->references, 1, memory_order_relaxed);
}

void mm_block_release(mm_block *block) {
  if (!block || atomic_fetch_sub_explicit(&block->references, 1, memory_order_acq_rel) > 1) return;
  if (block->within) {
    memory_release(block, block->allocated);
    return;
  }
  if (block->allocated) memory_release(block->data, block->allocated);
  else if (block->drop) block->drop(block->owner);
  memory_release(block, HEADER);
}

uint8_t *mm_block_data(const mm_block *block) { return block->data; }
int64_t mm_block_size(const mm_block *block) { return block->size; }

int64_t block_references(const mm_block *block) {
  return atomic_load_explicit(&block->references, memory_order_acquire);
}

bool mm_block_sole(const mm_block *block) {
  return block->allocated && atomic_load_explicit(&block->references, memory_order_acquire) == 1;
}
