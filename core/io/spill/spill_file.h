/* spill_file.h - a temporary file for what does not fit into memory.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"
#include <stdatomic.h>

/* A file without a name in $TMPDIR (else /tmp): the system removes it however the process ends. Any number of threads
 * may append and read at once. */
typedef struct spill_file {
  int fd;               /* 0: none */
  _Atomic int64_t size; /* bytes appended, and those whose writing failed */
} spill_file;

int spill_file_open(spill_file *file, mm_error *error);
/* Append all bytes, in one piece; *offset: where they are. */
int spill_file_append(spill_file *file, const uint8_t *bytes, int64_t size, int64_t *offset, mm_error *error);
/* Bytes that were appended. */
int spill_file_read(const spill_file *file, int64_t offset, uint8_t *bytes, int64_t size, mm_error *error);
void spill_file_free(spill_file *file);
/* Bytes in all files of this process that are open. */
int64_t spill_files_bytes(void);
