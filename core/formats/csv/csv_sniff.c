/* csv_sniff.c - what a file is, by its name and first bytes.
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_sniff.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

const char *csv_other_format(const uint8_t *bytes, int64_t size) {
  static const struct {
    const char *magic;
    int64_t size;
    const char *name;
  } known[] = {
      {"\x1f\x8b", 2, "gzip"},
      {"BZh", 3, "bzip2"},
      {"\xfd"
       "7zXZ",
       5, "xz"},
      {"\x04\x22\x4d\x18", 4, "lz4"},
      {"PK\x03\x04", 4, "zip"},
      {"PAR1", 4, "Parquet"},
      {"ARROW1", 6, "Arrow IPC"},
      {"\x93NUMPY", 6, "npy"},
      {"SQLite format 3", 15, "SQLite"},
      {"\xff\xfe", 2, "UTF-16"},
      {"\xfe\xff", 2, "UTF-16"},
      {"\x89PNG", 4, "PNG"},
      {"%PDF-", 5, "PDF"},
      {"\x7f"
       "ELF",
       4, "ELF"},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (size >= known[i].size && memcmp(bytes, known[i].magic, (size_t)known[i].size) == 0) return known[i].name;
  return NULL;
}

static bool ends_with(const char *text, int64_t size, const char *end) {
  int64_t length = (int64_t)strlen(end);
  return size >= length && memcmp(text + size - length, end, (size_t)length) == 0;
}

/* Tab when the name says so, or when the first line of `text` has tabs and no comma outside quotes. */
char csv_guess_delimiter(const char *path, const uint8_t *text, int64_t size, int quote) {
  int64_t length = (int64_t)strlen(path);
  if (ends_with(path, length, ".zst")) length -= 4;
  if (ends_with(path, length, ".tsv") || ends_with(path, length, ".tab")) return '\t';
  int64_t commas = 0, tabs = 0;
  bool inside = false;
  for (int64_t i = 0; i < size && (inside || text[i] != '\n'); i++) {
    inside ^= text[i] == quote;
    commas += !inside && text[i] == ',';
    tabs += !inside && text[i] == '\t';
  }
  return tabs > 0 && commas == 0 ? '\t' : ',';
}
