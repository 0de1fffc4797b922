/* error.c - filling in mm_error: code, kind, message and the texts that go with them.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/alloc.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int mm_version(void) { return MM_VERSION; }

static const mm_status statuses[] = {
    {MM_EDATA, 1, "data"},   {MM_EUSAGE, 2, "usage"},     {MM_EIO, 3, "io"},
    {MM_ELIMIT, 4, "limit"}, {MM_ESCRIPT, 5, "script"},   {MM_ENOMEM, 6, "memory"},
    {MM_ESTATE, 8, "state"}, {MM_ECANCEL, 130, "cancel"}, {MM_EBUG, 70, "bug"},
};
enum { STATUSES = sizeof statuses / sizeof *statuses };

const mm_status *mm_status_at(int32_t index) { return index >= 0 && index < STATUSES ? &statuses[index] : NULL; }

const char *mm_status_kind(int32_t code) {
  int32_t i = 0;
  while (i < STATUSES - 1 && statuses[i].code != code) i++;
  return statuses[i].kind; /* the last is a bug */
}

/* Start over: everything unknown but the code and the kind. */
static void reset(mm_error *error, int code, const char *id) {
  memset(error, 0, sizeof *error);
  error->code = code;
  error->stage = error->place = -1;
  error->row = -1;
  snprintf(error->id, sizeof error->id, "%s", id);
}

int error_fail(mm_error *error, int code, const char *id, const char *format, ...) {
  if (!error) return code;
  char message[2 * sizeof error->message]; /* the arguments may point into the error */
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  char kind[sizeof error->id];
  snprintf(kind, sizeof kind, "%s", id);
  reset(error, code, kind);
  error_copy_text(error->message, ERROR_MESSAGE_MOST + 1, message, (int64_t)strlen(message));
  return code;
}

static const char *io_id(int errnum) {
  switch (errnum) {
  case ENOENT: return "not-found";
  case EACCES:
  case EPERM: return "no-permission";
  case ENOSPC:
  case EDQUOT: return "disk-full";
  case EPIPE: return "broken-pipe";
  default: return "io-error";
  }
}

void error_set_path(mm_error *error, const char *path) {
  int64_t length = (int64_t)strlen(path), room = sizeof error->file - 1;
  memset(error->file, 0, sizeof error->file);
  if (length <= room) {
    memcpy(error->file, path, (size_t)length);
    return;
  }
  const char *tail = path + length - (room - 3);
  while ((*tail & 0xc0) == 0x80) tail++; /* not within a character */
  memcpy(error->file, "...", 3);
  memcpy(error->file + 3, tail, strlen(tail));
}

int error_set_file(mm_error *error, int code, const char *path) {
  if (!error) return code;
  if (strcmp(path, "-") == 0) path = "<stdin>";
  error_set_path(error, path);
  return code;
}

int error_fail_io(mm_error *error, const char *file, int errnum, const char *what) {
  if (!error) return MM_EIO;
  char text[128];
  const char *reason = strerror_r(errnum, text, sizeof text); /* GNU: the text is what it returns */
  error_fail(error, MM_EIO, io_id(errnum), "%s: %s", what, reason);
  error_set_path(error, file ? file : "");
  return MM_EIO;
}

int error_fail_changed(mm_error *error, const char *path, int64_t got, int64_t told) {
  error_fail(error, MM_EIO, "file-changed", "the file shrank while it was read: %lld bytes, of %lld when it was opened",
             (long long)got, (long long)told);
  if (error) snprintf(error->hint, sizeof error->hint, "run again when nothing writes to the file");
  return error_set_file(error, MM_EIO, path);
}

static const char HINT[] = "raise the limit or release results you no longer need";

int mm_memory_fail(int64_t size, bool limited, mm_error *error) {
  if (error && limited) {
    error_fail(error, MM_ENOMEM, "memory-limit",
               "the memory limit of %lld bytes is reached: %lld more are needed, %lld are in use",
               (long long)mm_memory_limit_now(), (long long)size, (long long)mm_memory_used());
    error_copy_text(error->hint, sizeof error->hint, HINT, (int64_t)strlen(HINT));
    return MM_ENOMEM;
  }
  return error_fail(error, MM_ENOMEM, "out-of-memory", "out of memory: %lld bytes needed, %lld in use", (long long)size,
                    (long long)mm_memory_used());
}

void error_note_memory(mm_error *error, int64_t size) { mm_memory_fail(size, memory_is_over(size), error); }

/* Bytes of the well-formed UTF-8 character at `text`, or 0. */
static int character(const uint8_t *text, int64_t length) {
  uint8_t lead = text[0];
  int size = lead < 0x80                   ? 1
             : lead >= 0xc2 && lead < 0xe0 ? 2
             : lead >= 0xe0 && lead < 0xf0 ? 3
             : lead >= 0xf0 && lead < 0xf5 ? 4
                                           : 0;
  if (size > length) return 0;
  for (int i = 1; i < size; i++)
    if ((text[i] & 0xc0) != 0x80) return 0;
  if (size == 3 && ((lead == 0xe0 && text[1] < 0xa0) || (lead == 0xed && text[1] > 0x9f))) return 0;
  if (size == 4 && ((lead == 0xf0 && text[1] < 0x90) || (lead == 0xf4 && text[1] > 0x8f))) return 0;
  return size;
}

/* What a terminal acts on, beyond ASCII: C1 controls; marks, embeddings, overrides and isolates of direction;
 * separators of lines and paragraphs. The code point of such a character, else 0. */
static int acting(const uint8_t *text, int size) {
  if (size == 2 && text[0] == 0xc2 && text[1] < 0xa0) return text[1];
  if (size == 2 && text[0] == 0xd8 && text[1] == 0x9c) return 0x61c;
  if (size != 3 || text[0] != 0xe2) return 0;
  bool mark = text[1] == 0x80 && (text[2] == 0x8e || text[2] == 0x8f || (text[2] >= 0xa8 && text[2] <= 0xae));
  bool isolate = text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9;
  return mark || isolate ? 0x2000 + (text[1] - 0x80) * 64 + text[2] - 0x80 : 0;
}

enum { SHOWN = 12 }; /* "\\u{202e}" and a NUL */

/* One character as shown: itself, or an escape. Sets *taken to the bytes read, returns the bytes written to `shown`. */
static int show_character(char *shown, const uint8_t *text, int64_t length, int *taken) {
  int size = character(text, length);
  *taken = size ? size : 1;
  if (size == 1 && (text[0] < 0x20 || text[0] == 0x7f)) {
    const char *letter = text[0] == '\n' ? "\\n" : text[0] == '\t' ? "\\t" : text[0] == '\r' ? "\\r" : NULL;
    return letter ? snprintf(shown, SHOWN, "%s", letter) : snprintf(shown, SHOWN, "\\x%02x", text[0]);
  }
  if (!size) return snprintf(shown, SHOWN, "\\x%02x", text[0]);
  int code = acting(text, size);
  if (code) return snprintf(shown, SHOWN, "\\u{%x}", (unsigned)code);
  memcpy(shown, text, (size_t)size);
  return size;
}

void error_copy_text(char *field, int64_t size, const char *text, int64_t length) {
  int64_t used = 0, cut = 0; /* `cut`: the last place where "..." still fits */
  const uint8_t *at = (const uint8_t *)text;
  while (length > 0) {
    char shown[SHOWN];
    int taken, width = show_character(shown, at, length, &taken);
    if (used + width > size - 1) {
      memset(field + cut, '.', 3);
      used = cut + 3;
      break;
    }
    memcpy(field + used, shown, (size_t)width);
    used += width;
    if (used + 3 <= size - 1) cut = used;
    at += taken;
    length -= taken;
  }
  memset(field + used, 0, (size_t)(size - used));
}
