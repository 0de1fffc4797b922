/* link_target.c - where the path of an output leads: to a descriptor that this process has, or to a file, perhaps one
 * that is not there yet.
 *
 * DESIGN. Links are followed here, one by one, and not by realpath(3) as a whole: that gives the name of the file
 * behind /dev/stdout, where the descriptor itself is wanted, and fails for a link to a file that does not exist.
 *
 * SPDX-License-Identifier: MIT */
#include "io/link_target.h"
#include "base/error.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS = 40 }; /* as the kernel follows */

/* The descriptor that `name` in `folder` stands for, where that is /proc/self/fd by any of its names; else -1. */
static int descriptor_of(const char *folder, const char *name) {
  char own[PATH_MAX];
  if (!realpath("/proc/self", own)) return -1;
  size_t length = strlen(own), whole = strlen(folder);
  if (strncmp(folder, own, length) != 0 || folder[length] != '/') return -1;
  if (strcmp(folder + whole - 3, "/fd") != 0) return -1;
  char *end;
  long fd = strtol(name, &end, 10);
  return *name >= '0' && *name <= '9' && !*end && fd <= INT_MAX ? (int)fd : -1;
}

/* One step: `path` becomes absolute but for its last part; 1: that part is a link, and `path` where it leads. */
static int follow_links(char *path, int *fd) {
  char folder[PATH_MAX], name[PATH_MAX], link[PATH_MAX];
  const char *slash = strrchr(path, '/');
  int length = slash ? (int)(slash - path) : 0;
  snprintf(name, sizeof name, "%s", slash ? slash + 1 : path);
  if (!*name) return -ENOENT;
  if (slash) path[length ? length : 1] = 0;
  if (!realpath(slash ? path : ".", folder)) return -errno;
  if ((*fd = descriptor_of(folder, name)) >= 0) return 0;
  length = snprintf(path, PATH_MAX, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
  if (length >= PATH_MAX) return -ENAMETOOLONG;
  ssize_t size = readlink(path, link, sizeof link - 1);
  if (size < 0) return errno == EINVAL || errno == ENOENT ? 0 : -errno;
  link[size] = 0;
  length = snprintf(path, PATH_MAX, "%s%s%s", *link == '/' ? "" : folder, *link == '/' ? "" : "/", link);
  return length < PATH_MAX ? 1 : -ENAMETOOLONG;
}

int link_target_find(link_target *target, const char *path, mm_error *error) {
  *target = (link_target){.fd = -1};
  if (snprintf(target->path, PATH_MAX, "%s", path) >= PATH_MAX)
    return error_fail_io(error, path, ENAMETOOLONG, "cannot create");
  int status = 1;
  for (int links = 0; status > 0; links++) {
    char before[PATH_MAX];
    memcpy(before, target->path, PATH_MAX);
    status = links < LINKS ? follow_links(target->path, &target->fd) : -ELOOP;
    if (status >= 0) continue;
    char what[sizeof error->message / 2];
    snprintf(what, sizeof what, links && links < LINKS ? "cannot create %.100s, where the link leads" : "cannot create",
             before);
    return error_fail_io(error, path, -status, what);
  }
  return 0;
}
