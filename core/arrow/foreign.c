/* foreign.c - what foreign types are called: "decimal128(38, 2)", "list<i64>", "time(us)".
 * SPDX-License-Identifier: MIT */
#include "arrow/foreign.h"
#include "arrow/arrow_format.h"
#include "types/opaque.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *format, *name;
} plain[] = {
    {"e", "f16"},        {"tts", "time(s)"},  {"ttm", "time(ms)"},       {"ttu", "time(us)"},
    {"ttn", "time(ns)"}, {"tiM", "interval"}, {"tiD", "interval"},       {"tin", "interval"},
    {"+s", "struct"},    {"+m", "map"},       {"+r", "run_end_encoded"},
};

static void list_name(const struct ArrowSchema *schema, const char *rest, char *text, size_t size) {
  char item[OPAQUE_NAME] = "?";
  mm_type type;
  const struct ArrowSchema *child = schema->n_children == 1 ? schema->children[0] : NULL;
  if (child && arrow_native_type(child, &type, NULL) == 1) mm_type_name(type, item, sizeof item);
  else if (child) foreign_name(child, item, sizeof item);
  snprintf(text, size, "list<%s>%s%s%s", item, *rest ? "[" : "", rest, *rest ? "]" : "");
}

/* "precision,scale" and perhaps ",bits". */
static void decimal_name(const char *format, char *text, size_t size) {
  char *rest;
  long precision = strtol(format, &rest, 10), scale = *rest == ',' ? strtol(rest + 1, &rest, 10) : 0;
  long bits = *rest == ',' ? strtol(rest + 1, &rest, 10) : 128;
  snprintf(text, size, "decimal%ld(%ld, %ld)", bits, precision, scale);
}

void foreign_name(const struct ArrowSchema *schema, char *text, int64_t size) {
  const char *format = schema->format;
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    if (strcmp(plain[i].format, format) == 0) {
      snprintf(text, (size_t)size, "%s", plain[i].name);
      return;
    }
  if (strncmp(format, "d:", 2) == 0) decimal_name(format + 2, text, (size_t)size);
  else if (strncmp(format, "w:", 2) == 0) snprintf(text, (size_t)size, "fixed_binary(%s)", format + 2);
  else if (strncmp(format, "+w:", 3) == 0) list_name(schema, format + 3, text, (size_t)size);
  else if (strncmp(format, "+l", 2) == 0 || strncmp(format, "+L", 2) == 0 || strncmp(format, "+vl", 3) == 0
           || strncmp(format, "+vL", 3) == 0)
    list_name(schema, "", text, (size_t)size);
  else if (strncmp(format, "+u", 2) == 0) snprintf(text, (size_t)size, "union");
  else snprintf(text, (size_t)size, "arrow(%s)", format);
}
