/* format_registry.c - the formats that there are, and how one of them is chosen.
 * SPDX-License-Identifier: MIT */
#include "formats/format_registry.h"
#include "base/error.h"
#include "formats/csv/csv_format.h"
#include "formats/format_options.h"
#include "io/path_ending.h"
#include <stdio.h>
#include <string.h>

/* The last one is taken where nothing tells: any text may be CSV. */
static const mm_format *const core_formats[] = {
    &lines_format,
    &csv_format,
};
enum { CORE_COUNT = sizeof core_formats / sizeof *core_formats };

static const mm_format *const *host_formats; /* those of the host come first */
static int32_t host_count;

void mm_set_formats(const mm_format *const *formats, int32_t count) {
  host_formats = formats;
  host_count = count;
}

static const mm_format *format_at(int32_t i) {
  return i < host_count ? host_formats[i] : i < host_count + CORE_COUNT ? core_formats[i - host_count] : NULL;
}

const mm_format *mm_format_find(const char *name) {
  const mm_format *format;
  for (int32_t i = 0; (format = format_at(i)); i++)
    if (strcmp(format->name, name) == 0) break;
  return format;
}

int format_by_name(const char *name, bool reads, const mm_format **result, mm_error *error) {
  const mm_format *format = *result = mm_format_find(name);
  if (format && (reads ? (bool)format->open : (bool)format->sink)) return 0;
  const char *kind = reads ? "for reading" : "for writing";
  error_fail(error, MM_EUSAGE, "unknown-format", "there is no format \"%.100s\" %s", name, kind);
  char list[sizeof error->hint] = "";
  for (int32_t i = 0; (format = format_at(i)); i++)
    if (reads ? (bool)format->open : (bool)format->sink) {
      size_t used = strlen(list);
      snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", format->name);
    }
  if (error) snprintf(error->hint, sizeof error->hint, "the formats: %.240s", list);
  return MM_EUSAGE;
}

const mm_format *format_by_content(const uint8_t *bytes, int64_t size) {
  const mm_format *format;
  for (int32_t i = 0; (format = format_at(i)); i++)
    if (format->sniff && format->sniff(bytes, size)) return format;
  return core_formats[CORE_COUNT - 1];
}

static bool is_extension(const mm_format *format, const char *path) {
  char extension[16];
  for (const char *at = format->extensions; *at;) {
    const char *end = strchrnul(at, ' ');
    snprintf(extension, sizeof extension, "%.*s", (int)(end - at), at);
    if (path_ends(path, extension)) return true;
    at = *end ? end + 1 : end;
  }
  return false;
}

const mm_format *format_by_path(const char *path) {
  const mm_format *format;
  for (int32_t i = 0; (format = format_at(i)); i++)
    if (format->sink && is_extension(format, path)) return format;
  return core_formats[CORE_COUNT - 1];
}

/* ---- The list of options for reading ---- */

static bool has_option(const mm_format *format, const char *key) {
  for (int32_t i = 0; format->reading && i < format->reading->count; i++)
    if (strcmp(format->reading->list[i].key, key) == 0) return true;
  return false;
}

/* Did a format before number `end` have it? */
static bool is_listed(const char *key, int32_t end) {
  for (int32_t i = 0; i < end; i++)
    if (has_option(format_at(i), key)) return true;
  return false;
}

const mm_option_info *mm_read_option(int32_t index) {
  const mm_format *format;
  for (int32_t i = 0; (format = format_at(i)); i++)
    for (int32_t o = 0; format->reading && o < format->reading->count; o++)
      if (!is_listed(format->reading->list[o].key, i) && index-- == 0) return &format->reading->list[o];
  return NULL;
}

int mm_read_option_check(const char *key, const char *shown, const char *value, int64_t size, mm_error *error) {
  const mm_option_info *info;
  mm_option given = {key, value, size};
  for (int32_t i = 0; (info = mm_read_option(i)); i++)
    if (strcmp(info->key, key) == 0) return format_option_check(info, shown, &given, error);
  return error_fail(error, MM_EUSAGE, "unknown-option", "no format has an option \"%.100s\"", key);
}
