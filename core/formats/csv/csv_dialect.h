/* csv_dialect.h - how a CSV file is written, by options and by its first bytes, and the limits of what is read.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

enum {
  CSV_FIELD_LIMIT = 16 << 20, /* bytes of a field */
  CSV_ROW_LIMIT = 64 << 20,   /* bytes of a row: it and what is read at a time are addressed by the bits of a field */
  CSV_COLUMN_LIMIT = 65536
};

typedef struct csv_dialect {
  uint8_t delimiter, quote;
  bool quoting; /* false: quotes are data */
  bool ragged;
  bool no_header;
  bool lines;        /* the delimiter is the line feed, and no field is null */
  const char *nulls; /* separated by '\n'; or NULL */
} csv_dialect;

extern const mm_option_table csv_reading;
/* Of options as csv_reading parses them, which live as long. The delimiter is 0 where it is to be found. */
int csv_dialect_set(csv_dialect *dialect, const void *options, mm_error *error);

/* "gzip", ...: what a file is that begins so and is no text, or NULL. */
const char *csv_foreign_content(const uint8_t *bytes, int64_t size);
/* `quote`: the character, -1: none. */
char csv_guess_delimiter(const char *path, const uint8_t *text, int64_t size, int quote);
