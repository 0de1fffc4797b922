/* temporary_file.c - the file that an output is written to until it is complete: its name, its lock, its mode, and what
 * dead processes left of theirs.
 *
 * DESIGN. The names are `.NAME.moonmill-N.tmp` beside the output, N counting from 0: the first free one is taken. The
 * writer holds a lock on its file (flock), which the kernel releases however the process ends, so that no process
 * number can be mistaken, in containers either. A file of such a name that can be locked has no writer any more; it is
 * removed when the next output of that name is opened. The cost does not depend on the other files of the folder, and
 * no other name is ever touched.
 *
 *   writer                                     sweeper
 *   creates the file, which must not exist     opens it, locks it, checks that the name still refers to it, removes it
 *   locks it, checks that the name still       (without a lock its writer is dead, or has just created it and takes
 *   refers to it, else takes the next name     the next name)
 *
 * The lock is kept until the file is renamed or removed. Where a file system has no locks nothing is swept.
 *
 * SPDX-License-Identifier: MIT */
#include "io/temporary_file.h"
#include "base/os.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GAP = 32, SLOTS = 1 << 20 }; /* names that are free one after the other, before the search ends; names at all */

/* What a name was found to be; ABSENT also where that cannot be told. */
enum { ABSENT, TAKEN, SWEPT };

/* -ENAMETOOLONG, or 0. */
static int name_slot(char path[PATH_MAX], const char *target, int slot) {
  const char *name = strrchr(target, '/') + 1;
  int length = snprintf(path, PATH_MAX, "%.*s.%.200s.moonmill-%d.tmp", (int)(name - target), target, name, slot);
  return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static bool is_named(int fd, const char *path) {
  struct stat opened, named;
  return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev
         && opened.st_ino == named.st_ino;
}

static bool may_sweep(int fd) {
  struct stat found;
  return fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && found.st_nlink == 1
         && (found.st_uid == geteuid() || geteuid() == 0);
}

/* Remove the file when it has no writer. */
static int sweep(const char *path) {
  int fd = os_io.open(os_io.self, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
  if (fd < 0) return fd == -EACCES || fd == -ELOOP || fd == -ENXIO ? TAKEN : ABSENT;
  bool dead = may_sweep(fd) && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_named(fd, path);
  if (dead) dead = os_io.unlink(os_io.self, path) == 0;
  os_io.close(os_io.self, fd);
  return dead ? SWEPT : TAKEN;
}

/* Lock a file that was just created; false: a sweeper was faster. */
static bool hold_lock(int fd, const char *path) {
  if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) return false;
  return is_named(fd, path);
}

int temporary_file_create(const char *target, int mode, char path[PATH_MAX]) {
  char other[PATH_MAX];
  int fd = -EEXIST, slot = 0;
  for (; fd == -EEXIST && slot < SLOTS; slot++) {
    int failure = name_slot(path, target, slot);
    if (failure < 0) return failure;
    if (slot >= GAP || sweep(path) != TAKEN)
      fd = os_io.open(os_io.self, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    if (fd < 0 || hold_lock(fd, path)) continue;
    os_io.close(os_io.self, fd);
    fd = -EEXIST;
  }
  for (int free = 0; fd >= 0 && free < GAP && name_slot(other, target, slot) == 0; slot++)
    free = sweep(other) == ABSENT ? free + 1 : 0;
  return fd;
}

int file_rights_of(file_rights *rights, const char *path) {
  struct stat found;
  if (stat(path, &found) < 0) return -errno;
  *rights = (file_rights){.known = true, .owner = found.st_uid, .group = found.st_gid, .mode = found.st_mode & 07777};
  return 0;
}

/* The new file must not grant more than the old one: without the owner or the group the setuid and setgid bits go, and
 * a group that is not the old one gets the permissions of all others. */
int file_rights_give(const file_rights *rights, int fd) {
  mode_t mode = rights->mode;
  bool owner = fchown(fd, rights->owner, rights->group) == 0;
  bool group = owner || fchown(fd, (uid_t)-1, rights->group) == 0;
  if (!owner) mode &= ~(mode_t)(S_ISUID | S_ISGID);
  if (!group) mode = (mode & ~(mode_t)070) | (mode & 07) << 3;
  return fchmod(fd, mode) < 0 ? -errno : 0; /* after fchown, which drops bits, as writing does */
}

int temporary_file_keep_lock(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1); }

void temporary_file_unlock(int lock) {
  if (lock >= 0) close(lock);
}
