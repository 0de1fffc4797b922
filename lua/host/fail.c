/* fail.c - fill in an mm_error outside of the core, whose own way is private to it.
 * SPDX-License-Identifier: MIT */
#include "host.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int mm_host_fail(mm_error *error, int code, const char *id, const char *format, ...) {
  if (!error) return code;
  *error = (mm_error){.code = code, .stage = -1, .place = -1, .row = -1};
  snprintf(error->id, sizeof(error->id), "%s", id);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->message, sizeof(error->message), format, arguments);
  va_end(arguments);
  return code;
}
