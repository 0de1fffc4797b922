/* atomic_file.h - a file that appears when it is complete.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "io/temporary_file.h"
#include "io/wait.h"
#include <stdatomic.h>

/* Where bytes go: a new file that replaces `target` when it is complete, or an open pipe, device or descriptor. */
typedef struct mm_outfile {
  char *path;                /* as given */
  char *target;              /* NULL: written in place */
  _Atomic(char *) temporary; /* NULL until there is one */
  atomic_bool settled;       /* who sets it renames or removes the temporary file */
  int fd;
  bool open;        /* fd is ours to close */
  bool is_stdout;   /* under whatever name */
  bool waits;       /* a pipe or device: a write may take for ever */
  bool blocks;      /* and then a write of more than PIPE_BUF may block, though there is room for something */
  mm_rights rights; /* of the file that is replaced */
  int64_t written;
  mm_wait wait;
} mm_outfile;
int mm_outfile_open(mm_outfile *output, const char *path, const mm_output_options *options, mm_error *error);
int mm_outfile_write(mm_outfile *output, const uint8_t *bytes, int64_t size, mm_error *error);
int mm_outfile_commit(mm_outfile *output, mm_error *error); /* the file appears */
/* The file will not appear. From any thread and in a signal handler. */
void mm_outfile_abandon(mm_outfile *output);
void mm_outfile_free(mm_outfile *output); /* an uncommitted file disappears */
