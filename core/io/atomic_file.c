/* atomic_file.c - a file that appears when it is complete, or not at all.
 *
 * DESIGN. Bytes go to a temporary file in the folder of the file (temporary_file.c), which is synchronised and renamed
 * at the end, and removed when there is no end. It has the rights of the file that it replaces, given at the end, as
 * writing drops some, and none for others until then. A link is followed: what it points to is replaced, or created.
 * Pipes, sockets and devices are written in place, as stdout ("-") is; so is what leads to a descriptor of this
 * process, through that descriptor, so that the bytes follow what was written to it before. Writing waits in slices, so
 * that a job can be cancelled while the reader of a pipe does not come or does not read.
 *
 * SPDX-License-Identifier: MIT */
#include "io/atomic_file.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/os.h"
#include "io/link_target.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int64_t text_size(const char *text) { return (int64_t)strlen(text) + 1; }

static const char *name_of(const atomic_file *o) { return o->is_stdout ? "<stdout>" : o->path; }

/* ---- What may be written to ---- */

static int refuse_inputs(const atomic_file *o, const mm_file_status *target, const mm_output_options *options,
                         mm_error *error) {
  for (int32_t i = 0; i < options->input_count; i++) {
    mm_file_status input;
    const char *path = options->inputs[i];
    int failure =
        strcmp(path, "-") == 0 ? os_io.stat(os_io.self, NULL, 0, &input) : os_io.stat(os_io.self, path, -1, &input);
    if (failure < 0 || !input.is_regular || input.device != target->device || input.inode != target->inode) continue;
    error_fail(error, MM_EUSAGE, "same-file", "the output is the same file as %s, which is read",
               strcmp(path, "-") == 0 ? "<stdin>" : path);
    return error_set_file(error, MM_EUSAGE, name_of(o));
  }
  return 0;
}

/* See that the output, which exists, may be written to. */
static int check_existing(const atomic_file *o, const mm_file_status *status, const mm_output_options *options,
                          mm_error *error) {
  if (status->is_directory) {
    error_fail(error, MM_EIO, "is-directory", "cannot write: is a directory");
    return error_set_file(error, MM_EIO, name_of(o));
  }
  return status->is_regular && options ? refuse_inputs(o, status, options, error) : 0;
}

/* ---- Opening ---- */

static int open_temporary(atomic_file *o, const char *target, bool exists, mm_error *error) {
  char path[PATH_MAX];
  if (!(o->target = memory_copy_text(target))) return error_fail_memory(error, text_size(target));
  int failure = exists ? file_rights_of(&o->rights, target) : 0;
  if (failure < 0) return error_fail_io(error, o->path, -failure, "cannot look at");
  int fd = temporary_file_create(o->target, exists ? 0600 : 0666, path);
  if (fd < 0) return error_fail_io(error, o->path, -fd, "cannot create");
  o->fd = fd;
  o->open = true;
  char *temporary = memory_copy_text(path);
  atomic_store(&o->temporary, temporary);
  if (!temporary) {
    os_io.unlink(os_io.self, path);
    return error_fail_memory(error, text_size(path));
  }
  return 0;
}

/* A pipe or device. Without O_NONBLOCK a pipe would wait here for its reader, whatever happens meanwhile. */
static int open_in_place(atomic_file *o, const char *target, const mm_file_status *status, mm_error *error) {
  for (;;) {
    o->fd = os_io.open(os_io.self, target, O_WRONLY | O_NOCTTY | O_NONBLOCK, 0);
    if (o->fd != -ENXIO || !status->is_pipe) break;
    TRY(file_wait_check(&o->wait, o->path, "nothing opened it for reading within", error));
    poll(NULL, 0, POLL_MS);
  }
  if (o->fd < 0) return error_fail_io(error, o->path, -o->fd, "cannot open");
  o->open = o->waits = true;
  return 0;
}

/* A pipe that others have too, in a way of our own that does not block; negative where the system does not allow it. */
static int reopen_pipe(int fd) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return os_io.open(os_io.self, path, O_WRONLY | O_NONBLOCK, 0);
}

/* What has a descriptor already, at the place where it is. */
static int open_descriptor(atomic_file *o, int fd, const mm_output_options *options, mm_error *error) {
  mm_file_status status;
  o->is_stdout = fd == STDOUT_FILENO;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) return error_fail_io(error, name_of(o), EBADF, "cannot write");
  int failure = os_io.stat(os_io.self, NULL, fd, &status);
  if (failure < 0) return error_fail_io(error, name_of(o), -failure, "cannot write");
  TRY(check_existing(o, &status, options, error));
  o->waits = !status.is_regular;
  o->blocks = o->waits && !(flags & O_NONBLOCK);
  o->fd = o->blocks && status.is_pipe ? reopen_pipe(fd) : -1;
  o->open = o->fd >= 0;
  o->blocks &= !o->open;
  if (o->open) return 0;
  o->fd = fd == STDOUT_FILENO ? fd : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (o->fd < 0) return error_fail_io(error, o->path, errno, "cannot open");
  o->open = o->fd != fd;
  return 0;
}

static int open_output(atomic_file *o, const char *path, const mm_output_options *options, mm_error *error) {
  link_target target;
  mm_file_status status;
  if (strcmp(path, "-") == 0) return open_descriptor(o, STDOUT_FILENO, options, error);
  TRY(link_target_find(&target, path, error));
  if (target.fd >= 0) return open_descriptor(o, target.fd, options, error);
  int found = os_io.stat(os_io.self, target.path, -1, &status);
  if (found == -ENOENT) return open_temporary(o, target.path, false, error);
  if (found < 0) return error_fail_io(error, path, -found, "cannot open");
  TRY(check_existing(o, &status, options, error));
  return status.is_regular ? open_temporary(o, target.path, true, error)
                           : open_in_place(o, target.path, &status, error);
}

int atomic_file_open(atomic_file *o, const char *path, const mm_output_options *options, mm_error *error) {
  *o = (atomic_file){.fd = -1};
  if (!(o->path = memory_copy_text(path))) return error_fail_memory(error, text_size(path));
  if (!*path) return error_fail(error, MM_EUSAGE, "no-output", "the name of the output is empty");
  if (options) file_wait_begin(&o->wait, options->open_timeout, options->interrupt, options->context);
  int status = open_output(o, path, options, error);
  file_wait_end(&o->wait);
  return status;
}

/* ---- Writing ---- */

static int fail_write(const atomic_file *o, int errnum, const char *what, mm_error *error) {
  error_fail_io(error, name_of(o), errnum, what);
  if (error && errnum == EPIPE) memcpy(error->id, "closed-pipe", sizeof "closed-pipe");
  if (error && errnum != EPIPE)
    snprintf(error->hint, sizeof error->hint, "%lld bytes were written; the output was not kept",
             (long long)o->written);
  return MM_EIO;
}

/* Wait until something can be written, or the reader is gone. */
static int wait_writable(atomic_file *o, mm_error *error) {
  struct pollfd look = {.fd = o->fd, .events = POLLOUT};
  for (;;) {
    TRY(file_wait_check(&o->wait, o->path, "nothing was read for", error));
    if (poll(&look, 1, POLL_MS) > 0) return 0;
  }
}

int atomic_file_write(atomic_file *o, const uint8_t *bytes, int64_t size, mm_error *error) {
  while (size > 0) {
    if (o->blocks) TRY(wait_writable(o, error));
    int64_t some = o->blocks && size > PIPE_BUF ? PIPE_BUF : size;
    int64_t wrote = os_io.write(os_io.self, o->fd, bytes, some);
    if (wrote == -EAGAIN) TRY(wait_writable(o, error));
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
  int fd = os_io.open(os_io.self, *folder ? folder : ".", O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return;
  os_io.fsync(os_io.self, fd);
  os_io.close(os_io.self, fd);
}

/* The temporary file takes the place of its target. */
static int replace_target(atomic_file *o, mm_error *error) {
  if (atomic_exchange(&o->settled, true)) return error_fail(error, MM_ECANCEL, "cancelled", "the output was given up");
  int failure = os_io.rename(os_io.self, atomic_load(&o->temporary), o->target);
  if (failure < 0) {
    atomic_store(&o->settled, false);
    atomic_file_abandon(o); /* while it is locked */
    return fail_write(o, -failure, "cannot replace", error);
  }
  sync_folder(o->target);
  return 0;
}

int atomic_file_commit(atomic_file *o, mm_error *error) {
  if (!o->open) return 0; /* stdout belongs to others */
  int failure = o->rights.known ? file_rights_give(&o->rights, o->fd) : 0;
  if (failure >= 0 && o->target) failure = os_io.fsync(os_io.self, o->fd);
  if (failure < 0) return fail_write(o, -failure, "cannot save", error);
  int lock = o->target ? temporary_file_keep_lock(o->fd) : -1;
  o->open = false;
  failure = os_io.close(os_io.self, o->fd);
  if (failure < 0) atomic_file_abandon(o);
  int status = failure < 0 ? fail_write(o, -failure, "cannot save", error) : o->target ? replace_target(o, error) : 0;
  temporary_file_unlock(lock);
  return status;
}

void atomic_file_abandon(atomic_file *o) {
  const char *temporary = atomic_load(&o->temporary);
  if (temporary && !atomic_exchange(&o->settled, true)) os_io.unlink(os_io.self, temporary);
}

void atomic_file_free(atomic_file *o) {
  atomic_file_abandon(o); /* while it is locked */
  if (o->open) os_io.close(os_io.self, o->fd);
  char *temporary = atomic_load(&o->temporary);
  if (temporary) memory_release(temporary, text_size(temporary));
  if (o->target) memory_release(o->target, text_size(o->target));
  if (o->path) memory_release(o->path, text_size(o->path));
  *o = (atomic_file){.fd = -1};
}
