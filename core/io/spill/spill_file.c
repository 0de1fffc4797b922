/* spill_file.c - a temporary file for what does not fit into memory.
 *
 * DESIGN. The file has no name (O_TMPFILE), or where the file system cannot do that, none any more as soon as it is
 * open; so nothing can be left behind, and nobody else can open it. Its mode lets only the owner read. An append takes
 * its place in the file by one atomic addition and writes there.
 *
 * SPDX-License-Identifier: MIT */
#include "io/spill/spill_file.h"
#include "base/error.h"
#include "base/os.h"
#include "io/spill/random_access.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { NAMES = 1000 }; /* tried */

static _Atomic int64_t total_bytes; /* of all files that are open */

int64_t spill_files_bytes(void) { return atomic_load_explicit(&total_bytes, memory_order_relaxed); }

/* A file whose name is removed at once; a descriptor or a negated errno. */
static int create_unlinked(const char *folder) {
  char path[PATH_MAX];
  int fd = -EEXIST;
  for (int i = 0; i < NAMES && fd == -EEXIST; i++) {
    if (snprintf(path, sizeof path, "%s/moonmill-%ld-%d.tmp", folder, (long)getpid(), i) >= PATH_MAX)
      return -ENAMETOOLONG;
    fd = os_io.open(os_io.self, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  }
  if (fd < 0) return fd;
  int failure = os_io.unlink(os_io.self, path);
  if (failure >= 0) return fd;
  os_io.close(os_io.self, fd);
  return failure;
}

int spill_file_open(spill_file *file, mm_error *error) {
  const char *folder = os_temporary_folder();
  *file = (spill_file){0};
  file->fd = os_io.open(os_io.self, folder, O_TMPFILE | O_EXCL | O_RDWR, 0600);
  if (file->fd == -EOPNOTSUPP || file->fd == -EISDIR || file->fd == -EINVAL) file->fd = create_unlinked(folder);
  if (file->fd >= 0) return 0;
  int status = error_fail_io(error, folder, -file->fd, "cannot create a temporary file");
  if (error) snprintf(error->hint, sizeof error->hint, "TMPDIR names the folder for temporary files");
  file->fd = 0;
  return status;
}

static int fail_access(int64_t result, const char *what, mm_error *error) {
  error_fail_io(error, os_temporary_folder(), result < 0 ? (int)-result : EIO, what);
  if (error && (result == -ENOSPC || result == -EDQUOT))
    snprintf(error->hint, sizeof error->hint, "TMPDIR names the folder for temporary files; %lld bytes are in use",
             (long long)spill_files_bytes());
  return MM_EIO;
}

int spill_file_append(spill_file *file, const uint8_t *bytes, int64_t size, int64_t *offset, mm_error *error) {
  *offset = atomic_fetch_add_explicit(&file->size, size, memory_order_relaxed);
  atomic_fetch_add_explicit(&total_bytes, size, memory_order_relaxed);
  int64_t wrote = write_at(file->fd, *offset, bytes, size);
  return wrote == size ? 0 : fail_access(wrote, "cannot write a temporary file", error);
}

int spill_file_read(const spill_file *file, int64_t offset, uint8_t *bytes, int64_t size, mm_error *error) {
  int64_t got = read_at(file->fd, offset, bytes, size);
  return got == size ? 0 : fail_access(got < 0 ? got : -EIO, "cannot read a temporary file", error);
}

void spill_file_free(spill_file *file) {
  if (file->fd > 0) os_io.close(os_io.self, file->fd);
  atomic_fetch_sub_explicit(&total_bytes, file->size, memory_order_relaxed);
  *file = (spill_file){0};
}
