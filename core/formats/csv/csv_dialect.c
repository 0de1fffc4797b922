/* csv_dialect.c - how a CSV file is written: what options say, and where they do not, its name and first bytes.
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_dialect.h"
#include "base/error.h"
#include "io/path_ending.h"
#include <string.h>

/* ---- Options for reading ---- */

typedef struct csv_read_options {
  int32_t delimiter; /* 0: found by name and content: ',' or tab */
  int32_t quote;     /* 0: '"'; -1: no quoting */
  char *nulls;       /* further texts that mean null, or NULL */
  bool header;
  bool ragged;
} csv_read_options;

#define AT(member) .offset = offsetof(csv_read_options, member)
static const mm_option_info read_options[] = {
    {"delimiter", "Field separator: a character, or tab. Default: detected.", MM_OPTION_CHARACTER, AT(delimiter),
     .id = "bad-delimiter"},
    {"quote", "Quote character, or none.", MM_OPTION_CHARACTER, AT(quote), .choices = "none", .id = "bad-quote-option"},
    {"null", "Another text that means null; may be repeated.", MM_OPTION_TEXTS, AT(nulls)},
    {"header", "The first line is data, not a header; columns are named c1, c2, ...", MM_OPTION_SWITCH, AT(header),
     .fallback = "true"},
    {"ragged", "Fill short rows with nulls and truncate long ones.", MM_OPTION_SWITCH, AT(ragged)},
};
const mm_option_table csv_reading = {
    .list = read_options, .count = sizeof read_options / sizeof *read_options, .size = sizeof(csv_read_options)};

int csv_dialect_set(csv_dialect *dialect, const void *options, mm_error *error) {
  const csv_read_options *o = options;
  *dialect = (csv_dialect){.delimiter = (uint8_t)o->delimiter,
                           .quote = o->quote > 0 ? (uint8_t)o->quote : '"',
                           .quoting = o->quote >= 0,
                           .ragged = o->ragged,
                           .no_header = !o->header,
                           .nulls = o->nulls};
  if (dialect->quoting && dialect->delimiter == dialect->quote)
    return error_fail(error, MM_EUSAGE, "bad-delimiter", "the delimiter cannot be the quote");
  return 0;
}

/* ---- What a file shows ---- */

const char *csv_foreign_content(const uint8_t *bytes, int64_t size) {
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

/* Tab when the name says so, or when the first line of `text` has tabs and no comma outside quotes. */
char csv_guess_delimiter(const char *path, const uint8_t *text, int64_t size, int quote) {
  if (path_ends(path, ".tsv") || path_ends(path, ".tab")) return '\t';
  int64_t commas = 0, tabs = 0;
  bool inside = false;
  for (int64_t i = 0; i < size && (inside || text[i] != '\n'); i++) {
    inside ^= text[i] == quote;
    commas += !inside && text[i] == ',';
    tabs += !inside && text[i] == '\t';
  }
  return tabs > 0 && commas == 0 ? '\t' : ',';
}
