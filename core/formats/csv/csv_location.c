/* csv_location.c - where in which file something is: what errors say.
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_location.h"
#include "base/error.h"
#include <string.h>

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
