/* random_access.h - a file whose bytes are read in any order.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

/* A regular file, or a block of memory in its place. Any number of threads may read at once. */
typedef struct random_access {
  const char *path; /* borrowed */
  int fd;           /* -1: none */
  const mm_block *block;
  int64_t size; /* bytes when it was opened */
} random_access;

/* `block` (borrowed): read it instead; NULL: the file. What is no regular file of a known size is refused. */
int random_access_open(random_access *file, const char *path, const mm_block *block, mm_error *error);
/* All of bytes offset .. offset + size - 1, or a failure: "truncated-file", MM_EDATA, where the file never had them,
 * "file-changed" where it has shrunk. Any offset and size may be asked for. */
int random_access_read(const random_access *file, int64_t offset, uint8_t *bytes, int64_t size, mm_error *error);
void random_access_close(random_access *file);

/* Move bytes at an offset of a descriptor, as many as it takes. The number moved: less than `size` only at the end of
 * the file; or a negated errno. */
int64_t read_at(int fd, int64_t offset, uint8_t *bytes, int64_t size);
int64_t write_at(int fd, int64_t offset, const uint8_t *bytes, int64_t size);
