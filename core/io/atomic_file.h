/* atomic_file.h - a file that appears when it is complete.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "io/temporary_file.h"
#include "io/wait.h"
#include <stdatomic.h>

/* Where bytes go: a new file that replaces `target` when it is complete, or an open pipe, device or descriptor. */
typedef struct atomic_file {
  char *path;                /* as given */
  char *target;              /* NULL: written in place */
  _Atomic(char *) temporary; /* NULL until there is one */
  atomic_bool settled;       /* who sets it renames or removes the temporary file */
  int fd;
  bool open;          /* fd is ours to close */
  bool is_stdout;     /* under whatever name */
  bool waits;         /* a pipe or device: a write may take for ever */
  bool blocks;        /* and then a write of more than PIPE_BUF may block, though there is room for something */
  file_rights rights; /* of the file that is replaced */
  int64_t written;
  file_wait wait;
} atomic_file;
int atomic_file_open(atomic_file *output, const char *path, const mm_output_options *options, mm_error *error);
int atomic_file_write(atomic_file *output, const uint8_t *bytes, int64_t size, mm_error *error);
int atomic_file_commit(atomic_file *output, mm_error *error); /* the file appears */
/* The file will not appear. From any thread and in a signal handler. */
void atomic_file_abandon(atomic_file *output);
void atomic_file_free(atomic_file *output); /* an uncommitted file disappears */
