/* arrow_format.c - Arrow's format strings and our types.
 * SPDX-License-Identifier: MIT */
#include "arrow/arrow_format.h"
#include "base/error.h"
#include "types/type.h"
#include <stdio.h>
#include <string.h>

static const char unit_letters[] = "smun";

static const struct {
  const char *format;
  uint8_t id, unit;
} formats[] = {
    {"n", MM_NULL, 0},
    {"b", MM_BOOL, 0},
#define X(ENUM, suffix, ctype, format) {format, MM_##ENUM, 0},
    TYPE_NUMBERS(X)
#undef X
        {"u", MM_UTF8, 0},
    {"U", MM_UTF8, 0},
    {"vu", MM_UTF8, 0},
    {"z", MM_BINARY, 0},
    {"Z", MM_BINARY, 0},
    {"vz", MM_BINARY, 0},
    {"tdD", MM_DATE, 0},
    {"tdm", MM_DATE, 0},
    {"tDs", MM_DURATION, MM_SECONDS},
    {"tDm", MM_DURATION, MM_MILLIS},
    {"tDu", MM_DURATION, MM_MICROS},
    {"tDn", MM_DURATION, MM_NANOS},
};
enum { FORMATS = sizeof formats / sizeof *formats };

/* The levels below a schema, checked so far as the structs show. */
static int check_nesting(const struct ArrowSchema *schema, int depth, mm_error *error) {
  if (depth > ARROW_DEPTH)
    return error_fail(error, MM_ELIMIT, "limit", "a type nested more than %d levels deep", ARROW_DEPTH);
  if (!schema || !schema->release || !schema->format || schema->n_children < 0
      || (schema->n_children > 0 && !schema->children))
    return error_fail(error, MM_EDATA, "bad-arrow", "the Arrow schema is released or incomplete");
  for (int64_t i = 0; i < schema->n_children; i++) TRY(check_nesting(schema->children[i], depth + 1, error));
  return schema->dictionary ? check_nesting(schema->dictionary, depth + 1, error) : 0;
}

int arrow_check_schema(const struct ArrowSchema *schema, mm_error *error) { return check_nesting(schema, 0, error); }

int arrow_native_type(const struct ArrowSchema *field, mm_type *type, mm_error *error) {
  if (field->dictionary) return arrow_native_type(field->dictionary, type, error);
  const char *format = field->format;
  for (int i = 0; i < FORMATS; i++) {
    if (strcmp(formats[i].format, format) != 0) continue;
    *type = (mm_type){.id = formats[i].id, .unit = formats[i].unit};
    return 1;
  }
  const char *unit = strncmp(format, "ts", 2) == 0 && format[2] ? strchr(unit_letters, format[2]) : NULL;
  if (!unit || format[3] != ':') return 0;
  int zone = mm_zone_intern(format + 4, error);
  TRY(zone);
  *type = (mm_type){.id = MM_TIMESTAMP, .unit = (uint8_t)(unit - unit_letters), .zone = (uint16_t)zone};
  return 1;
}

int arrow_format_of(const mm_field *field, char *text, int64_t size, mm_error *error) {
  *text = 0;
  if (field->type.id == MM_TIMESTAMP) {
    const char *zone = mm_zone_name(field->type.zone);
    if (strlen(zone) > (size_t)size - 8)
      return error_fail(error, MM_ELIMIT, "limit", "time zone \"%.40s...\" is too long", zone);
    snprintf(text, (size_t)size, "ts%c:%s", unit_letters[field->type.unit & 3], zone);
  }
  for (int i = 0; i < FORMATS && !*text; i++)
    if (formats[i].id == field->type.id && formats[i].unit == (field->type.id == MM_DURATION ? field->type.unit : 0))
      snprintf(text, (size_t)size, "%s", formats[i].format);
  return 0;
}
