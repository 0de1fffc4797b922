/* csv_header.c - the names of a file's columns, out of its header.
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_header.h"
#include "base/alloc.h"
#include "base/error.h"
#include "types/hash_bytes.h"
#include <stdio.h>
#include <string.h>

static uint64_t hash_name(const char *name) { return hash_bytes(name, (int64_t)strlen(name), 0); }

int32_t csv_header_find(const csv_header *names, const char *name) {
  if (!names->slot_count) return -1;
  for (uint64_t at = hash_name(name);; at++) {
    int32_t found = names->slots[at & (uint64_t)(names->slot_count - 1)];
    if (found < 0 || strcmp(names->names[found], name) == 0) return found;
  }
}

/* Place all names in the table; 1-based numbers of two equal ones in the message. */
static int index_names(csv_header *names, mm_error *error) {
  int64_t slots = 8;
  while (slots < 2 * names->count) slots *= 2;
  names->slots = memory_allocate(slots * (int64_t)sizeof *names->slots);
  if (!names->slots) return error_fail_memory(error, slots * (int64_t)sizeof *names->slots);
  names->slot_count = slots;
  memset(names->slots, 0xff, (size_t)slots * sizeof *names->slots);
  for (int32_t i = 0; i < names->count; i++) {
    int32_t other = csv_header_find(names, names->names[i]);
    if (other >= 0) {
      error_fail(error, MM_EDATA, "duplicate-column", "columns %d and %d are both named \"%.100s\"", other + 1, i + 1,
                 names->names[i]);
      if (error) error_copy_text(error->field, sizeof error->field, names->names[i], (int64_t)strlen(names->names[i]));
      return MM_EDATA;
    }
    uint64_t at = hash_name(names->names[i]) & (uint64_t)(slots - 1);
    while (names->slots[at] >= 0) at = (at + 1) & (uint64_t)(slots - 1);
    names->slots[at] = i;
  }
  return 0;
}

/* Append a name, which is taken from `text` (0 bytes: "c" and its number). */
static int add_name(csv_header *names, const uint8_t *text, int64_t size, mm_error *error) {
  char number[16];
  if (names->count == CSV_COLUMN_LIMIT)
    return error_fail(error, MM_ELIMIT, "too-many-columns", "more than %d columns", CSV_COLUMN_LIMIT);
  if (size == 0) {
    size = snprintf(number, sizeof number, "c%d", names->count + 1);
    text = (const uint8_t *)number;
  }
  if (memchr(text, 0, (size_t)size) || mm_utf8_invalid(text, size) >= 0)
    return error_fail(error, MM_EDATA, "bad-header", "the name of column %d is not UTF-8 text", names->count + 1);
  if (names->count == names->capacity) {
    int64_t width = sizeof *names->names, fresh = names->capacity ? 2 * (int64_t)names->capacity : 32;
    char **grown = memory_resize(names->names, names->capacity * width, fresh * width);
    if (!grown) return error_fail_memory(error, fresh * width);
    names->names = grown;
    names->capacity = (int32_t)fresh;
  }
  char *name = memory_allocate(size + 1);
  if (!name) return error_fail_memory(error, size + 1);
  memcpy(name, text, (size_t)size);
  name[size] = 0;
  names->names[names->count++] = name;
  return 0;
}

int csv_header_single(csv_header *names, const char *name, mm_error *error) {
  TRY(add_name(names, (const uint8_t *)name, (int64_t)strlen(name), error));
  return index_names(names, error);
}

/* The content of a field that starts at *at of the line, without quotes, in `field`; *at moves to its end. */
static int take_field(const csv_dialect *dialect, const uint8_t *line, int64_t size, int64_t *at, mm_buffer *field,
                      mm_error *error) {
  bool quoted = dialect->quoting && line[*at] == dialect->quote, closed = !quoted;
  field->size = 0;
  int64_t i = *at + quoted;
  TRY(mm_buffer_reserve(field, size - i + 1, error));
  for (; i < size && !(closed && (line[i] == dialect->delimiter || line[i] == '\n')); i++) {
    if (quoted && line[i] == dialect->quote) {
      closed = !closed;
      if (closed) continue; /* the end, or the first of two */
    }
    field->data[field->size++] = line[i];
  }
  if (i < size && line[i] == '\n' && i > *at && line[i - 1] == '\r') field->size--;
  *at = i;
  return 0;
}

int csv_header_parse(csv_header *names, const csv_dialect *dialect, const uint8_t *line, int64_t size,
                     mm_error *error) {
  mm_buffer field = {0};
  int status = 0;
  for (int64_t at = 0; at < size && status >= 0; at++) { /* behind the separator */
    bool quoted = dialect->quoting && line[at] == dialect->quote;
    status = take_field(dialect, line, size, &at, &field, error);
    if (status < 0) break;
    if (!quoted && field.size && memchr(field.data, '\r', (size_t)field.size))
      status = error_fail(error, MM_EDATA, "lone-cr", "a carriage return without a line feed in the header");
    else status = add_name(names, field.data, dialect->no_header ? 0 : field.size, error);
  }
  mm_buffer_free(&field);
  return status < 0 ? status : index_names(names, error);
}

void csv_header_free(csv_header *names) {
  for (int32_t i = 0; i < names->count; i++) memory_release(names->names[i], (int64_t)strlen(names->names[i]) + 1);
  memory_release(names->names, names->capacity * (int64_t)sizeof *names->names);
  memory_release(names->slots, names->slot_count * (int64_t)sizeof *names->slots);
  *names = (csv_header){0};
}
