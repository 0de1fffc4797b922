/* io.c - file operations that fail when they are told to, for spec/core/io_faults_spec.lua, which compiles this file.
 * SPDX-License-Identifier: MIT */
#include "stage.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHORT = 0 }; /* in place of an error number: a read or write moves one byte */

static atomic_llong calls, first, last; /* calls first .. last fail */
static atomic_int trouble, open_files;

/* What this call is to fail with, -1 for nothing. */
static int fate(bool moves_bytes) {
  int errnum = atomic_load(&trouble);
  if (!moves_bytes && (errnum == SHORT || errnum == EINTR)) return -1; /* other calls are never cut short */
  long long call = atomic_fetch_add(&calls, 1) + 1;
  return call >= atomic_load(&first) && call <= atomic_load(&last) ? errnum : -1;
}

static int io_open(void *self, const char *path, int flags, int mode) {
  (void)self;
  int errnum = fate(false);
  if (errnum > 0) return -errnum;
  int fd = open(path, flags | O_CLOEXEC, mode);
  if (fd < 0) return -errno;
  atomic_fetch_add(&open_files, 1);
  return fd;
}

static int64_t io_read(void *self, int fd, void *bytes, int64_t size) {
  (void)self;
  int errnum = fate(true);
  if (errnum > 0) return -errnum;
  int64_t got = read(fd, bytes, errnum == SHORT && size > 1 ? 1 : (size_t)size);
  return got < 0 ? -errno : got;
}

static int64_t io_write(void *self, int fd, const void *bytes, int64_t size) {
  (void)self;
  int errnum = fate(true);
  if (errnum > 0) return -errnum;
  int64_t wrote = write(fd, bytes, errnum == SHORT && size > 1 ? 1 : (size_t)size);
  return wrote < 0 ? -errno : wrote;
}

static int64_t io_pread(void *self, int fd, void *bytes, int64_t size, int64_t offset) {
  (void)self;
  int errnum = fate(true);
  if (errnum > 0) return -errnum;
  int64_t got = pread(fd, bytes, errnum == SHORT && size > 1 ? 1 : (size_t)size, offset);
  return got < 0 ? -errno : got;
}

static int64_t io_pwrite(void *self, int fd, const void *bytes, int64_t size, int64_t offset) {
  (void)self;
  int errnum = fate(true);
  if (errnum > 0) return -errnum;
  int64_t wrote = pwrite(fd, bytes, errnum == SHORT && size > 1 ? 1 : (size_t)size, offset);
  return wrote < 0 ? -errno : wrote;
}

static int io_fsync(void *self, int fd) {
  (void)self;
  int errnum = fate(false);
  return errnum > 0 ? -errnum : fsync(fd) < 0 ? -errno : 0;
}

static int io_close(void *self, int fd) { /* a close that fails has closed */
  (void)self;
  int errnum = fate(false);
  atomic_fetch_sub(&open_files, 1);
  int status = close(fd);
  return errnum > 0 ? -errnum : status < 0 ? -errno : 0;
}

static int io_rename(void *self, const char *from, const char *to) {
  (void)self;
  int errnum = fate(false);
  return errnum > 0 ? -errnum : rename(from, to) < 0 ? -errno : 0;
}

static int io_unlink(void *self, const char *path) { /* never fails: nothing could be promised then */
  (void)self;
  return unlink(path) < 0 ? -errno : 0;
}

static int io_stat(void *self, const char *path, int fd, mm_file_status *status) {
  (void)self;
  struct stat found;
  int errnum = fate(false);
  if (errnum > 0) return -errnum;
  if ((path ? stat(path, &found) : fstat(fd, &found)) < 0) return -errno;
  *status = (mm_file_status){.size = S_ISREG(found.st_mode) ? found.st_size : -1,
                             .device = found.st_dev,
                             .inode = found.st_ino,
                             .is_directory = S_ISDIR(found.st_mode),
                             .is_regular = S_ISREG(found.st_mode)};
  return 0;
}

static const mm_io io = {NULL,     io_open,  io_read,   io_write,  io_pread, io_pwrite,
                         io_fsync, io_close, io_rename, io_unlink, io_stat};

/* The operations; calls from the n-th on fail with `errnum` (0: move one byte), `count` of them. */
const mm_io *faults_io(int64_t n, int64_t count, int errnum);
const mm_io *faults_io(int64_t n, int64_t count, int errnum) {
  atomic_store(&calls, 0);
  atomic_store(&trouble, errnum);
  atomic_store(&first, n);
  atomic_store(&last, count > INT64_MAX - n ? INT64_MAX : n + count - 1);
  return &io;
}

int64_t faults_io_calls(void);
int64_t faults_io_calls(void) { return atomic_load(&calls); }

int faults_open_files(void);
int faults_open_files(void) { return atomic_load(&open_files); }
