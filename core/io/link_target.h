/* link_target.h - where the path of an output leads.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"
#include <limits.h>

/* Where the path of an output leads, links followed: a file by its absolute name, or a descriptor of this process
 * (/dev/stdout, /dev/fd/3), -1: none. */
typedef struct link_target {
  char path[PATH_MAX];
  int fd;
} link_target;
int link_target_find(link_target *target, const char *path, mm_error *error);
