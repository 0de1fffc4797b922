/* csv_dialect.h - how a CSV file is written, and the limits of what is read.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum {
  CSV_READ_SIZE = 256 << 10,  /* bytes read at a time: they are looked at while they are in the second cache */
  CSV_READ_LIMIT = 16 << 20,  /* so that a row and a chunk are addressed by the bits of a field */
  CSV_FIELD_LIMIT = 16 << 20, /* bytes of a field */
  CSV_ROW_LIMIT = 64 << 20,   /* bytes of a row */
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
