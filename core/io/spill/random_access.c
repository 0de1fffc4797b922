/* random_access.c - a file whose bytes are read in any order: what formats with an index at their end need.
 * SPDX-License-Identifier: MIT */
#include "io/spill/random_access.h"
#include "base/error.h"
#include "base/os.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int64_t read_at(int fd, int64_t offset, uint8_t *bytes, int64_t size) {
  int64_t done = 0;
  while (done < size) {
    int64_t got = os_io.pread(os_io.self, fd, bytes + done, size - done, offset + done);
    if (got == -EINTR) continue;
    if (got < 0) return got;
    if (got == 0) break;
    done += got;
  }
  return done;
}

int64_t write_at(int fd, int64_t offset, const uint8_t *bytes, int64_t size) {
  int64_t done = 0;
  while (done < size) {
    int64_t wrote = os_io.pwrite(os_io.self, fd, bytes + done, size - done, offset + done);
    if (wrote == -EINTR) continue;
    if (wrote <= 0) return wrote ? wrote : -EIO;
    done += wrote;
  }
  return done;
}

/* See that it is a file that can be read at any place; its size. */
static int64_t check_file(const random_access *file, mm_error *error) {
  mm_file_status status;
  int failure = os_io.stat(os_io.self, NULL, file->fd, &status);
  if (failure < 0) return error_set_file(error, error_fail_io(error, NULL, -failure, "cannot look at"), file->path);
  if (status.is_directory) {
    error_fail(error, MM_EIO, "is-directory", "cannot read: is a directory");
    return error_set_file(error, MM_EIO, file->path);
  }
  if (status.size >= 0) return status.size;
  error_fail(error, MM_EIO, "no-random-access", "cannot read: it is no regular file, and must be read in any order");
  if (error) snprintf(error->hint, sizeof error->hint, "write it to a file first");
  return error_set_file(error, MM_EIO, file->path);
}

int random_access_open(random_access *file, const char *path, const mm_block *block, mm_error *error) {
  *file = (random_access){.path = path, .block = block, .fd = -1};
  if (block) {
    file->size = mm_block_size(block);
    return 0;
  }
  bool is_stdin = strcmp(path, "-") == 0;
  file->fd = is_stdin ? 0 : os_io.open(os_io.self, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
  if (file->fd < 0) return error_fail_io(error, path, -file->fd, "cannot open");
  int64_t size = check_file(file, error);
  if (size < 0) random_access_close(file);
  else file->size = size;
  return size < 0 ? (int)size : 0;
}

int random_access_read(const random_access *file, int64_t offset, uint8_t *bytes, int64_t size, mm_error *error) {
  if (offset < 0 || size < 0 || offset > file->size || size > file->size - offset) {
    error_fail(error, MM_EDATA, "truncated-file", "the file has %lld bytes, and %lld from byte %lld on are needed",
               (long long)file->size, (long long)size, (long long)offset);
    return error_set_file(error, MM_EDATA, file->path);
  }
  if (file->block) {
    if (size > 0) memcpy(bytes, mm_block_data(file->block) + offset, (size_t)size);
    return 0;
  }
  int64_t got = read_at(file->fd, offset, bytes, size);
  if (got < 0) return error_set_file(error, error_fail_io(error, NULL, (int)-got, "cannot read"), file->path);
  if (got == size) return 0;
  return error_fail_changed(error, file->path, offset + got, file->size);
}

void random_access_close(random_access *file) {
  if (file->fd > 0) os_io.close(os_io.self, file->fd); /* stdin belongs to others */
  *file = (random_access){.fd = -1};
}
