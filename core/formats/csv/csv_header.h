/* csv_header.h - the names of columns, and where they are.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "formats/csv/csv_dialect.h"
#include "moonmill.h"

/* Names of columns and where they are. */
typedef struct mm_names {
  char **names;
  int32_t count, capacity;
  int32_t *slots; /* hash table of indices, -1 free */
  int64_t slot_count;
} mm_names;
int mm_names_parse(mm_names *names, const mm_dialect *dialect, const uint8_t *line, int64_t size, mm_error *error);
int mm_names_one(mm_names *names, const char *name, mm_error *error);
int32_t mm_names_find(const mm_names *names, const char *name);
void mm_names_free(mm_names *names);
