/* csv_location.c - where in which file something is: what errors say.
 * SPDX-License-Identifier: MIT */
#include "formats/formats.h"

int mm_error_file(mm_error *error, int code, const char *path) {
  if (!error) return code;
  if (strcmp(path, "-") == 0) path = "<stdin>";
  mm_error_path(error, path);
  return code;
}

void mm_place(const mm_cutter *cutter, const mm_piece *piece, const mm_span *span, int64_t position, mm_error *error) {
  if (!error) return;
  const uint8_t *begin = piece->text + span->begin, *at = begin, *end = piece->text + position, *feed;
  int64_t line = span->line;
  while (at < end && (feed = memchr(at, '\n', (size_t)(end - at)))) {
    line++;
    at = feed + 1;
  }
  error->line = line;
  error->column = end - at + 1;
  mm_error_file(error, 0, cutter->paths[span->file]);
}
