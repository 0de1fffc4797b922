/* error.h - filling in mm_error, and handing failures on.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* Forward a negative status. */
#define TRY(expr)                                                                                                      \
  do {                                                                                                                 \
    int status_ = (expr);                                                                                              \
    if (status_ < 0) return status_;                                                                                   \
  } while (0)

/* No error, without touching the texts beyond their ends: an mm_error is two kilobytes, too much to clear for each
 * batch. */
static inline void error_clear(mm_error *error) {
  error->code = error->reserved = 0;
  error->stage = error->place = -1;
  error->row = -1;
  error->line = error->column = 0;
  error->id[0] = error->file[0] = error->field[0] = error->value[0] = '\0';
  error->message[0] = error->hint[0] = error->frames[0] = '\0';
}
enum { ERROR_MESSAGE_MOST = 400 }; /* bytes of the longest message; a longer one ends in "..." */
/* Fill in `error` (unless NULL) and return `code`; other fields become none. `id` is kebab-case. In the message
 * control characters are escaped. */
int error_fail(mm_error *error, int code, const char *id, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for a failed system call; `errnum` is positive; the message ends with its text. code MM_EIO. */
int error_fail_io(mm_error *error, const char *file, int errnum, const char *what);
/* A file ended after `got` bytes, of `told` when it was opened: "file-changed", MM_EIO. */
int error_fail_changed(mm_error *error, const char *path, int64_t got, int64_t told);
void error_note_memory(mm_error *error, int64_t size);
/* Out of memory for `size` bytes. Inline, so that readers and analysers see that it is a failure. */
static inline int error_fail_memory(mm_error *error, int64_t size) {
  error_note_memory(error, size);
  return MM_ENOMEM;
}
/* The file of an error; a long path is cut at its front. It stays as it is: whoever shows it escapes it. */
void error_set_path(mm_error *error, const char *path);
/* Copy text into a fixed field of an error, shortened with "..." where it does not fit; control characters escaped. */
void error_copy_text(char *field, int64_t size, const char *text, int64_t length);

/* Set the file of a failure, "<stdin>" for "-", and return its code. */
int error_set_file(mm_error *error, int code, const char *path);
