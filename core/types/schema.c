/* schema.c - the names and types of columns.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

int mm_schema_add(mm_schema *schema, const char *name, mm_type type, bool nullable, mm_error *error) {
  if (schema->count == schema->capacity) {
    int32_t capacity = schema->capacity ? schema->capacity * 2 : 8;
    int64_t width = sizeof *schema->fields;
    mm_field *fields = mm_resize(schema->fields, schema->capacity * width, capacity * width);
    if (!fields) return mm_fail_memory(error, capacity * width);
    schema->fields = fields;
    schema->capacity = capacity;
  }
  char *copy = mm_copy_text(name);
  if (!copy) return mm_fail_memory(error, (int64_t)strlen(name) + 1);
  schema->fields[schema->count++] = (mm_field){copy, type, nullable};
  return 0;
}

int mm_schema_find(const mm_schema *schema, const char *name) {
  for (int32_t i = 0; i < schema->count; i++)
    if (strcmp(schema->fields[i].name, name) == 0) return i;
  return -1;
}

int mm_schema_copy(mm_schema *to, const mm_schema *from, mm_error *error) {
  for (int32_t i = 0; i < from->count; i++) {
    const mm_field *field = &from->fields[i];
    int status = mm_schema_add(to, field->name, field->type, field->nullable, error);
    if (status < 0) {
      mm_schema_free(to);
      return status;
    }
  }
  return 0;
}

void mm_schema_free(mm_schema *schema) {
  for (int32_t i = 0; i < schema->count; i++)
    mm_release(schema->fields[i].name, (int64_t)strlen(schema->fields[i].name) + 1);
  mm_release(schema->fields, schema->capacity * (int64_t)sizeof *schema->fields);
  *schema = (mm_schema){0};
}
