/* type.c - types and time zones: names, widths, storage.
 * SPDX-License-Identifier: MIT */
#include "types/type.h"
#include "base/alloc.h"
#include "base/error.h"
#include "types/opaque.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char *const names[MM_TYPE_COUNT] = {
    [MM_NULL] = "null",         [MM_BOOL] = "bool",     [MM_I8] = "i8",     [MM_I16] = "i16",
    [MM_I32] = "i32",           [MM_I64] = "i64",       [MM_U8] = "u8",     [MM_U16] = "u16",
    [MM_U32] = "u32",           [MM_U64] = "u64",       [MM_F32] = "f32",   [MM_F64] = "f64",
    [MM_UTF8] = "utf8",         [MM_BINARY] = "binary", [MM_DATE] = "date", [MM_TIMESTAMP] = "timestamp",
    [MM_DURATION] = "duration", [MM_OPAQUE] = "opaque",
};
static const char *const units[] = {"s", "ms", "us", "ns"};

int type_storage(int id) {
  switch (id) {
  case MM_DATE: return MM_I32;
  case MM_TIMESTAMP:
  case MM_DURATION: return MM_I64;
  case MM_BINARY: return MM_UTF8;
  default: return id;
  }
}

int64_t mm_type_width(mm_type type) {
  switch (type_storage(type.id)) {
#define X(ENUM, suffix, ctype, format)                                                                                 \
  case MM_##ENUM: return sizeof(ctype);
    TYPE_NUMBERS(X)
#undef X
  default: return 0;
  }
}

const char *mm_type_name(mm_type type, char *text, int64_t size) {
  const char *name = type.id < MM_TYPE_COUNT ? names[type.id] : "unknown";
  const char *foreign = type.id == MM_OPAQUE ? opaque_name(type) : NULL;
  if (foreign) snprintf(text, (size_t)size, "%s", foreign);
  else if (type.id != MM_TIMESTAMP && type.id != MM_DURATION) snprintf(text, (size_t)size, "%s", name);
  else if (type.id == MM_DURATION || type.zone == 0) snprintf(text, (size_t)size, "%s(%s)", name, units[type.unit & 3]);
  else snprintf(text, (size_t)size, "%s(%s, %s)", name, units[type.unit & 3], mm_zone_name(type.zone));
  return text;
}

/* ---- Parsing ---- */

static int unknown(const char *text, mm_error *error) {
  char shown[64];
  error_copy_text(shown, sizeof shown, text, (int64_t)strlen(text));
  return error_fail(error, MM_EUSAGE, "unknown-type", "unknown type \"%s\"", shown);
}

/* The word at *at among `words`, which a blank or one of ",()" or the end follows; moves *at behind it. -1: none. */
static int word(const char **at, const char *const *words, int count) {
  size_t length = strcspn(*at, " ,()");
  for (int i = 0; i < count; i++) {
    if (strlen(words[i]) == length && memcmp(words[i], *at, length) == 0) {
      *at += length;
      return i;
    }
  }
  return -1;
}

static void blanks(const char **at) { *at += strspn(*at, " "); }

/* "(unit)" or "(unit, zone)" behind the name of a timestamp or duration. */
static int parse_unit(const char *text, const char **at, mm_type *type, mm_error *error) {
  ++*at;
  blanks(at);
  int unit = word(at, units, 4);
  if (unit < 0) return unknown(text, error);
  type->unit = (uint8_t)unit;
  blanks(at);
  if (**at == ',' && type->id == MM_TIMESTAMP) {
    ++*at;
    blanks(at);
    char zone[64];
    size_t length = strcspn(*at, " )");
    if (length == 0 || length >= sizeof zone) return unknown(text, error);
    memcpy(zone, *at, length);
    zone[length] = 0;
    int number = mm_zone_intern(zone, error);
    TRY(number);
    type->zone = (uint16_t)number;
    *at += length;
    blanks(at);
  }
  if (**at != ')') return unknown(text, error);
  ++*at;
  return 0;
}

int mm_type_parse(const char *text, mm_type *type, mm_error *error) {
  const char *at = text;
  blanks(&at);
  int id = word(&at, names, MM_OPAQUE);
  if (id < 0) return opaque_find(text, type) ? 0 : unknown(text, error);
  mm_type parsed = {.id = (uint8_t)id};
  if (id == MM_TIMESTAMP || id == MM_DURATION) {
    parsed.unit = MM_MICROS;
    blanks(&at);
    if (*at == '(') TRY(parse_unit(text, &at, &parsed, error));
  }
  blanks(&at);
  if (*at) return unknown(text, error);
  *type = parsed;
  return 0;
}

/* ---- Zones: names are numbered once and never forgotten ---- */

enum { ZONES = 4096 };
static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;
static char *zones[ZONES];
static int zone_count = 1;

static void hold_zones(void) { pthread_mutex_lock(&zones_lock); }
static void let_go_zones(void) { pthread_mutex_unlock(&zones_lock); }
__attribute__((constructor)) static void survive_forks(void) { pthread_atfork(hold_zones, let_go_zones, let_go_zones); }

int mm_zone_intern(const char *name, mm_error *error) {
  if (!*name) return 0;
  pthread_mutex_lock(&zones_lock);
  int number = 1;
  while (number < zone_count && strcmp(zones[number], name) != 0) number++;
  if (number == ZONES) {
    number = error_fail(error, MM_ELIMIT, "limit", "more than %d time zones", ZONES - 1);
  } else if (number == zone_count) {
    zones[number] = memory_copy_text(name);
    if (zones[number]) zone_count++;
    else number = error_fail_memory(error, (int64_t)strlen(name) + 1);
  }
  pthread_mutex_unlock(&zones_lock);
  return number;
}

int64_t mm_types_bytes(void) {
  int64_t bytes = opaque_bytes();
  pthread_mutex_lock(&zones_lock);
  for (int i = 1; i < zone_count; i++) bytes += (int64_t)strlen(zones[i]) + 1;
  pthread_mutex_unlock(&zones_lock);
  return bytes;
}

const char *mm_zone_name(int zone) {
  pthread_mutex_lock(&zones_lock);
  const char *name = zone > 0 && zone < zone_count ? zones[zone] : "";
  pthread_mutex_unlock(&zones_lock);
  return name;
}
