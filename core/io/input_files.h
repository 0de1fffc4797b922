/* input_files.h - the files of an input, read one after the other.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "io/reader.h"
#include "stage.h"

enum {
  INPUT_READ_SIZE = 256 << 10, /* bytes read at a time: they are looked at while they are in the second cache */
  INPUT_READ_LIMIT = 16 << 20
};

struct mm_files {
  read_context reading;
  char **paths;
  mm_block **blocks;     /* read instead of the files, one for each path; or NULL */
  int32_t count, opened; /* files opened so far */
  int64_t bytes_total;   /* as stored; -1: unknown */
  file_reader *reader;   /* of file opened - 1; NULL: it was closed */
  bool ahead;            /* that one was opened for a look, and comes next */
  bool compressed;       /* one that was opened is */
};

/* Opening begins: see that every file is there, before the first is read. Free it on failure too. */
int input_files_init(mm_files *files, const char *const *paths, int32_t count, const mm_input_options *options,
                     mm_error *error);
void input_files_free(mm_files *files);
/* The first bytes of the next file, which are still to be read: at least `size`, or all that it has. Their number. */
int64_t input_files_peek(mm_files *files, const uint8_t **bytes, int64_t size, mm_error *error);
/* Nothing more is read of the file. */
void input_files_close(mm_files *files);
/* A read that waits returns, and no other begins; from any thread. */
void input_files_interrupt(mm_files *files);
static inline bool input_files_left(const mm_files *files) { return files->ahead || files->opened < files->count; }
