/* buffer.c - growing bytes with one owner.
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"
#include <string.h>

int mm_buffer_reserve(mm_buffer *buffer, int64_t extra, mm_error *error) {
  if (extra >= 0 && extra <= buffer->capacity - buffer->size) return 0;
  int64_t needed;
  if (extra < 0 || __builtin_add_overflow(buffer->size, extra, &needed) || needed > INT64_MAX / 4)
    return error_fail_memory(error, extra);
  int64_t capacity = buffer->capacity * 2;
  if (capacity < needed) capacity = needed;
  capacity = (capacity + 63) & ~INT64_C(63);
  uint8_t *data = memory_resize(buffer->data, buffer->capacity, capacity);
  if (!data) return error_fail_memory(error, capacity);
  buffer->data = data;
  buffer->capacity = capacity;
  return 0;
}

int mm_buffer_append(mm_buffer *buffer, const void *bytes, int64_t size, mm_error *error) {
  TRY(mm_buffer_reserve(buffer, size, error));
  if (size > 0) memcpy(buffer->data + buffer->size, bytes, (size_t)size);
  buffer->size += size;
  return 0;
}

void mm_buffer_free(mm_buffer *buffer) {
  memory_release(buffer->data, buffer->capacity);
  *buffer = (mm_buffer){0};
}
