/* path_ending.c - what the end of a path says about a file: its compression, and what stands before that.
 * SPDX-License-Identifier: MIT */
#include "io/path_ending.h"
#include <stdint.h>
#include <string.h>

static bool ends_with(const char *text, int64_t size, const char *end) {
  int64_t length = (int64_t)strlen(end);
  return size >= length && memcmp(text + size - length, end, (size_t)length) == 0;
}

bool path_is_zstd(const char *path) { return ends_with(path, (int64_t)strlen(path), ".zst"); }

bool path_ends(const char *path, const char *ending) {
  int64_t size = (int64_t)strlen(path) - (path_is_zstd(path) ? 4 : 0);
  return ends_with(path, size, ending);
}
