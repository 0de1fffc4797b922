/* temporary_file.h - temporary files beside their target, and who may read a file.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* A new file beside `target`, open for writing and locked, its name in `path`; files that dead processes left for this
 * target are removed. A descriptor or a negated errno. */
int temporary_file_create(const char *target, int mode, char path[PATH_MAX]);
/* A descriptor that holds the lock when `fd` is closed, or -1; and its end. */
int temporary_file_keep_lock(int fd);
void temporary_file_unlock(int lock);

/* Who may do what with a file. */
typedef struct file_rights {
  bool known;
  uint32_t owner, group, mode;
} file_rights;
int file_rights_of(file_rights *rights, const char *path); /* 0 or a negated errno */
int file_rights_give(const file_rights *rights, int fd); /* no more than these, where they cannot be given; the same */
