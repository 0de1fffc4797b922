/* csv_chunk.c - some rows of text: the spans of files that they are of, and where in which file something is.
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_chunk.h"
#include "base/alloc.h"
#include "base/error.h"
#include <string.h>

void csv_chunk_free(csv_chunk *chunk) {
  if (!chunk) return;
  mm_block_release(chunk->block);
  memory_release(chunk->spans, chunk->span_capacity * (int64_t)sizeof *chunk->spans);
  memory_release(chunk, sizeof *chunk);
}

int csv_chunk_add_span(csv_chunk *chunk, csv_span span, mm_error *error) {
  if (chunk->span_count == chunk->span_capacity) {
    int64_t width = sizeof *chunk->spans, old = chunk->span_capacity, fresh = old ? 2 * old : 4;
    csv_span *spans = memory_resize(chunk->spans, old * width, fresh * width);
    if (!spans) return error_fail_memory(error, fresh * width);
    chunk->spans = spans;
    chunk->span_capacity = (int32_t)fresh;
  }
  chunk->spans[chunk->span_count++] = span;
  return 0;
}

void csv_locate(const char *path, const csv_chunk *chunk, const csv_span *span, int64_t position, mm_error *error) {
  if (!error) return;
  const uint8_t *begin = chunk->text + span->begin, *at = begin, *end = chunk->text + position, *feed;
  int64_t line = span->line;
  while (at < end && (feed = memchr(at, '\n', (size_t)(end - at)))) {
    line++;
    at = feed + 1;
  }
  error->line = line;
  error->column = end - at + 1;
  error_set_file(error, 0, path);
}
