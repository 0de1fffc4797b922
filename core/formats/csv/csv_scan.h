/* csv_scan.h - where rows and fields end: loops over bytes, by instruction set.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "formats/csv/csv_dialect.h"
#include <stdbool.h>
#include <stdint.h>

enum { CSV_MARGIN = 64 }; /* readable bytes before and after a text */

/* The splitter's look at text: where rows end. */
typedef struct csv_row_scan {
  int64_t at;        /* looked at so far */
  int64_t rows;      /* ends of rows found */
  int64_t want;      /* stop after so many */
  int64_t row_start; /* where the last row begins */
  int64_t inner;     /* line feeds within quotes */
  int64_t bad;       /* a misplaced quote, or what follows one; -1: none */
  uint64_t inside;   /* all ones: within quotes */
  uint64_t after;    /* what the last byte was: SCAN_* */
  bool quotes;       /* any seen */
} csv_row_scan;
enum {
  SCAN_SEPARATOR = 1,
  SCAN_CLOSED = 2,
  SCAN_RETURN = 4
}; /* a delimiter or row end; a closing quote; CR after one */

/* Scanners of one instruction set. Texts have CSV_MARGIN readable bytes after them. */
typedef struct csv_scanner {
  const char *isa;
  /* Go on to `end`; true: the wanted rows are complete and `at` is where the next begins, or `bad` was found. */
  bool (*rows)(csv_row_scan *scan, const csv_dialect *dialect, const uint8_t *text, int64_t end);
  /* Ends of fields (delimiters and line feeds outside quotes), from text[0], a row's start, on: until `size`, or at
   * least `bytes` and `count` of them. Returns their number; *newlines: how many of them are line feeds. `field
   * ends` has room for bytes + count + 128. */
  int64_t (*field_ends)(const csv_dialect *dialect, bool quotes, const uint8_t *text, int64_t size, int64_t bytes,
                        int64_t count, uint32_t *field_ends, int64_t *newlines);
  /* Bits: 1, a byte above 127; 2, a carriage return. */
  int (*traits)(const uint8_t *text, int64_t size);
} csv_scanner;
const csv_scanner *csv_scanner_get(void);
