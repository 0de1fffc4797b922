/* arrow_check.h - what an Arrow array refers to is there.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "arrow_abi.h"
#include "moonmill.h"
#include <string.h>

/* The `buffers` (-1: any number) of an array are there, and rows [start, start + length) lie in it. */
int arrow_check_rows(const struct ArrowArray *array, int64_t start, int64_t length, int64_t buffers, mm_error *error);
/* The same rows of a foreign type, with every offset, size, type id, run end and key that they have, at all levels. */
int arrow_check_nested(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t start, int64_t length,
                       mm_error *error);

/* A text view: the length, then up to 12 bytes of text or a prefix, a buffer's number and an offset into it. */
typedef struct arrow_view {
  int32_t size;
  uint8_t prefix[4];
  int32_t buffer, offset;
} arrow_view;

int arrow_check_view_buffers(const struct ArrowArray *array, mm_error *error);
/* Where the text is that the view at `at` shows. */
int arrow_find_view(const struct ArrowArray *array, const uint8_t *at, const uint8_t **text, int32_t *length,
                    mm_error *error);
/* Offset i, of 32 or 64 bits, aligned or not. */
static inline int64_t arrow_offset(const uint8_t *offsets, int64_t i, bool large) {
  int64_t wide;
  int32_t narrow;
  if (large) memcpy(&wide, offsets + i * 8, 8);
  else memcpy(&narrow, offsets + i * 4, 4);
  return large ? wide : narrow;
}
