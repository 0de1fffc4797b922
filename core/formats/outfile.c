/* outfile.c - a file that appears when it is complete, or not at all.
 *
 * DESIGN. Bytes go to `.NAME.PID.N.tmp` in the folder of the file, which is synchronised and renamed at the end, and
 * removed when there is no end. A link is followed: what it points to is replaced. A file that is replaced leaves its
 * mode to the new one, from the start, so that nobody may read more than before. Pipes and devices are written in
 * place, as stdout ("-") is.
 *
 * SPDX-License-Identifier: MIT */
#include "formats.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t text_size(const char *text) { return (int64_t)strlen(text) + 1; }

/* ---- What may be written to ---- */

static int refuse_inputs(const char *path, const mm_file_status *target, const char *const *inputs, int32_t count,
                         mm_error *error) {
  for (int32_t i = 0; i < count; i++) {
    mm_file_status input;
    int failure = strcmp(inputs[i], "-") == 0 ? mm_host_io.stat(mm_host_io.self, NULL, 0, &input)
                                              : mm_host_io.stat(mm_host_io.self, inputs[i], -1, &input);
    if (failure < 0 || !input.is_regular || input.device != target->device || input.inode != target->inode) continue;
    mm_fail(error, MM_EUSAGE, "same-file", "the output is the same file as the input %s", inputs[i]);
    return mm_error_file(error, MM_EUSAGE, path);
  }
  return 0;
}

/* Where the path leads, links followed, in memory of ours. */
static char *resolve(const char *path) {
  char resolved[PATH_MAX];
  return mm_copy_text(realpath(path, resolved) ? resolved : path);
}

/* ---- Temporary files ---- */

/* A name that nobody uses, in the folder of the target; its mode is that of the file it will replace. */
static int create_temporary(mm_outfile *o, bool exists, mm_error *error) {
  static atomic_int counter;
  const char *slash = strrchr(o->target, '/'), *name = slash ? slash + 1 : o->target;
  int folder = slash ? (int)(name - o->target) : 0;
  char path[PATH_MAX];
  int fd = -EEXIST;
  while (fd == -EEXIST) {
    int n = snprintf(path, sizeof path, "%.*s.%.200s.%ld.%d.tmp", folder, o->target, name, (long)getpid(),
                     atomic_fetch_add(&counter, 1));
    if (n >= (int)sizeof path) return mm_fail_io(error, o->path, ENAMETOOLONG, "cannot create");
    fd = mm_host_io.open(mm_host_io.self, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, exists ? 0600 : 0666);
  }
  if (fd < 0) return mm_fail_io(error, o->path, -fd, "cannot create");
  o->fd = fd;
  o->open = true;
  char *temporary = mm_copy_text(path);
  atomic_store(&o->temporary, temporary);
  if (!temporary) {
    mm_host_io.unlink(mm_host_io.self, path);
    return mm_fail_memory(error, text_size(path));
  }
  struct stat old;
  if (exists && stat(o->target, &old) == 0 && fchmod(fd, old.st_mode & 07777) < 0)
    return mm_fail_io(error, o->path, errno, "cannot set the mode of");
  return 0;
}

static int open_in_place(mm_outfile *o, mm_error *error) {
  o->fd = mm_host_io.open(mm_host_io.self, o->path, O_WRONLY | O_NOCTTY, 0);
  if (o->fd < 0) return mm_fail_io(error, o->path, -o->fd, "cannot open");
  o->open = true;
  return 0;
}

int mm_outfile_open(mm_outfile *o, const char *path, const char *const *inputs, int32_t input_count, mm_error *error) {
  *o = (mm_outfile){.fd = -1};
  if (!(o->path = mm_copy_text(path))) return mm_fail_memory(error, text_size(path));
  if (!*path) return mm_fail(error, MM_EUSAGE, "no-output", "the name of the output is empty");
  mm_file_status status;
  bool is_stdout = strcmp(path, "-") == 0;
  int found = is_stdout ? mm_host_io.stat(mm_host_io.self, NULL, 1, &status)
                        : mm_host_io.stat(mm_host_io.self, path, -1, &status);
  if (found < 0 && found != -ENOENT) return mm_fail_io(error, is_stdout ? "<stdout>" : path, -found, "cannot open");
  if (found == 0 && status.is_directory) {
    mm_fail(error, MM_EIO, "is-directory", "cannot write: is a directory");
    return mm_error_file(error, MM_EIO, path);
  }
  if (found == 0 && status.is_regular)
    TRY(refuse_inputs(is_stdout ? "<stdout>" : path, &status, inputs, input_count, error));
  if (is_stdout) {
    o->fd = 1;
    return 0;
  }
  if (found == 0 && !status.is_regular) return open_in_place(o, error);
  if (!(o->target = resolve(path))) return mm_fail_memory(error, text_size(path));
  return create_temporary(o, found == 0, error);
}

/* ---- Writing ---- */

static int fail_write(const mm_outfile *o, int errnum, const char *what, mm_error *error) {
  const char *name = o->fd == 1 ? "<stdout>" : o->path;
  mm_fail_io(error, name, errnum, what);
  if (error && errnum == EPIPE) memcpy(error->id, "closed-pipe", sizeof "closed-pipe");
  if (error && errnum != EPIPE)
    snprintf(error->hint, sizeof error->hint, "%lld bytes were written; the output was not kept",
             (long long)o->written);
  return MM_EIO;
}

int mm_outfile_write(mm_outfile *o, const uint8_t *bytes, int64_t size, mm_error *error) {
  while (size > 0) {
    int64_t wrote = mm_host_io.write(mm_host_io.self, o->fd, bytes, size);
    if (wrote == -EINTR || wrote == -EAGAIN) continue;
    if (wrote <= 0) return fail_write(o, wrote ? (int)-wrote : EIO, "cannot write", error);
    bytes += wrote;
    size -= wrote;
    o->written += wrote;
  }
  return 0;
}

/* The folder remembers the new name. Not every file system can be asked. */
static void sync_folder(const char *file) {
  char folder[PATH_MAX];
  const char *slash = strrchr(file, '/');
  int length = slash ? (int)(slash - file) : 0;
  snprintf(folder, sizeof folder, "%.*s", slash && length == 0 ? 1 : length, slash ? file : "");
  int fd = mm_host_io.open(mm_host_io.self, *folder ? folder : ".", O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return;
  mm_host_io.fsync(mm_host_io.self, fd);
  mm_host_io.close(mm_host_io.self, fd);
}

int mm_outfile_commit(mm_outfile *o, mm_error *error) {
  if (!o->open) return 0; /* stdout belongs to others */
  int failure = o->target ? mm_host_io.fsync(mm_host_io.self, o->fd) : 0;
  if (failure < 0) return fail_write(o, -failure, "cannot save", error);
  o->open = false;
  failure = mm_host_io.close(mm_host_io.self, o->fd);
  if (failure < 0) return fail_write(o, -failure, "cannot save", error);
  if (!o->target) return 0;
  if (atomic_exchange(&o->settled, true)) return mm_fail(error, MM_ECANCEL, "cancelled", "the output was given up");
  failure = mm_host_io.rename(mm_host_io.self, atomic_load(&o->temporary), o->target);
  if (failure < 0) {
    atomic_store(&o->settled, false);
    return fail_write(o, -failure, "cannot replace", error);
  }
  sync_folder(o->target);
  return 0;
}

void mm_outfile_abandon(mm_outfile *o) {
  const char *temporary = atomic_load(&o->temporary);
  if (temporary && !atomic_exchange(&o->settled, true)) mm_host_io.unlink(mm_host_io.self, temporary);
}

void mm_outfile_free(mm_outfile *o) {
  if (o->open) mm_host_io.close(mm_host_io.self, o->fd);
  mm_outfile_abandon(o);
  char *temporary = atomic_load(&o->temporary);
  if (temporary) mm_release(temporary, text_size(temporary));
  if (o->target) mm_release(o->target, text_size(o->target));
  if (o->path) mm_release(o->path, text_size(o->path));
  *o = (mm_outfile){.fd = -1};
}
