/* csv_header.h - the names of columns, and where they are.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "formats/csv/csv_dialect.h"
#include "moonmill.h"

/* Names of columns and where they are. */
typedef struct csv_header {
  char **names;
  int32_t count, capacity;
  int32_t *slots; /* hash table of indices, -1 free */
  int64_t slot_count;
} csv_header;
int csv_header_parse(csv_header *names, const csv_dialect *dialect, const uint8_t *line, int64_t size, mm_error *error);
int csv_header_single(csv_header *names, const char *name, mm_error *error);
int32_t csv_header_find(const csv_header *names, const char *name);
void csv_header_free(csv_header *names);
