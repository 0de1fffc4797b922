/* schema.c - the names and types of columns.
 *
 * DESIGN. A schema of many fields keeps a hash table of their numbers, with linear probing: to find the columns of a
 * wide table one by one is linear work. It is as long as twice the capacity, a power of two, so it is rebuilt when the
 * fields move. Of equal names the first one is met first.
 *
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"
#include "types/hash_bytes.h"
#include <string.h>

enum { FIRST_CAPACITY = 8, HASHED = 32, EMPTY = -1 }; /* so many fields are worth a hash table */

static void insert_field(mm_schema *schema, int32_t number) {
  const char *name = schema->fields[number].name;
  uint64_t mask = 2 * (uint64_t)schema->capacity - 1;
  uint64_t slot = hash_bytes(name, (int64_t)strlen(name), 0) & mask;
  while (schema->slots[slot] != EMPTY) slot = (slot + 1) & mask;
  schema->slots[slot] = number;
}

static int64_t slots_size(int32_t capacity) { return 2 * (int64_t)capacity * (int64_t)sizeof(int32_t); }

/* Room for more fields, and the hash table for as many. */
static int grow_fields(mm_schema *schema, mm_error *error) {
  int32_t capacity = schema->capacity ? schema->capacity * 2 : FIRST_CAPACITY;
  int64_t width = sizeof *schema->fields;
  int32_t *slots = NULL;
  if (capacity > HASHED && !(slots = memory_allocate(slots_size(capacity))))
    return error_fail_memory(error, slots_size(capacity));
  mm_field *fields = memory_resize(schema->fields, schema->capacity * width, capacity * width);
  if (!fields) {
    memory_release(slots, slots_size(capacity));
    return error_fail_memory(error, capacity * width);
  }
  if (schema->slots) memory_release(schema->slots, slots_size(schema->capacity));
  schema->fields = fields;
  schema->slots = slots;
  schema->capacity = capacity;
  if (!slots) return 0;
  for (int64_t i = 0; i < 2 * (int64_t)capacity; i++) slots[i] = EMPTY;
  for (int32_t i = 0; i < schema->count; i++) insert_field(schema, i);
  return 0;
}

int mm_schema_add(mm_schema *schema, const char *name, mm_type type, bool nullable, mm_error *error) {
  if (schema->count == schema->capacity) TRY(grow_fields(schema, error));
  char *copy = memory_copy_text(name);
  if (!copy) return error_fail_memory(error, (int64_t)strlen(name) + 1);
  schema->fields[schema->count] = (mm_field){copy, type, nullable};
  if (schema->slots) insert_field(schema, schema->count);
  schema->count++;
  return 0;
}

int mm_schema_find(const mm_schema *schema, const char *name) {
  if (!schema->slots) {
    for (int32_t i = 0; i < schema->count; i++)
      if (strcmp(schema->fields[i].name, name) == 0) return i;
    return -1;
  }
  uint64_t mask = 2 * (uint64_t)schema->capacity - 1;
  uint64_t slot = hash_bytes(name, (int64_t)strlen(name), 0) & mask;
  for (; schema->slots[slot] != EMPTY; slot = (slot + 1) & mask)
    if (strcmp(schema->fields[schema->slots[slot]].name, name) == 0) return schema->slots[slot];
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
    memory_release(schema->fields[i].name, (int64_t)strlen(schema->fields[i].name) + 1);
  memory_release(schema->fields, schema->capacity * (int64_t)sizeof *schema->fields);
  if (schema->slots) memory_release(schema->slots, slots_size(schema->capacity));
  *schema = (mm_schema){0};
}
