/* reader.c - the bytes of one file, of stdin, or of memory, decompressed when they are zstd.
 * SPDX-License-Identifier: MIT */
#include "io/reader.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/os.h"
#include "io/zstd_decoder.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { SNIFF = 16 };

struct reader {
  read_context *feed;
  const char *path; /* of the input */
  int fd;
  const mm_block *block; /* what is read instead of a file, or NULL */
  int64_t at;            /* of it */
  bool waits;            /* a pipe or device: a read may take for ever */
  int64_t told;          /* bytes that a regular file had when it was opened, from there on; 0: any number */
  int64_t taken;         /* bytes read */
  bool ended;
  mm_buffer head; /* bytes read to see what the file is */
  int64_t used;   /* of head */
  zstd_decoder *decoder;
  int status; /* of the first failure, which is repeated */
  mm_error error;
};

static bool is_stdin(const char *path) { return strcmp(path, "-") == 0; }

/* Wait until there is something to read, in slices, so that the job can be cancelled meanwhile. */
static int wait_readable(reader *stream, mm_error *error) {
  struct pollfd look = {.fd = stream->fd, .events = POLLIN};
  int ready = 0;
  while (stream->waits && ready == 0) {
    TRY(file_wait_check(&stream->feed->wait, stream->path, "nothing came for", error));
    ready = poll(&look, 1, POLL_MS);
    if (ready < 0 && errno == EINTR) ready = 0;
  }
  return 0;
}

static int64_t read_block(reader *stream, uint8_t *bytes, int64_t size) {
  int64_t left = mm_block_size(stream->block) - stream->at;
  if (size > left) size = left;
  if (size > 0) memcpy(bytes, mm_block_data(stream->block) + stream->at, (size_t)size);
  stream->at += size;
  return size;
}

/* A regular file ended before all bytes were read that it had when it was opened. Bytes that were added since are read
 * like the others. */
static int fail_changed(reader *stream, mm_error *error) {
  error_fail(error, MM_EIO, "file-changed", "the file shrank while it was read: %lld bytes, of %lld when it was opened",
             (long long)stream->taken, (long long)stream->told);
  if (error) snprintf(error->hint, sizeof error->hint, "run again when nothing writes to the file");
  return error_set_file(error, MM_EIO, stream->path);
}

/* One read of the file: bytes, 0 at the end, or a status. */
static int64_t read_file(reader *stream, uint8_t *bytes, int64_t size, mm_error *error) {
  int64_t got = stream->block ? read_block(stream, bytes, size) : -EAGAIN;
  while (got == -EAGAIN || got == -EINTR) {
    TRY(wait_readable(stream, error));
    got = os_io.read(os_io.self, stream->fd, bytes, size);
    if (got == -EAGAIN) stream->waits = true;
  }
  if (got < 0) return error_set_file(error, error_fail_io(error, NULL, (int)-got, "cannot read"), stream->path);
  if (got == 0 && stream->taken < stream->told) return fail_changed(stream, error);
  stream->ended = got == 0;
  stream->taken += got;
  atomic_fetch_add_explicit(&stream->feed->consumed, got, memory_order_relaxed);
  return got;
}

static int64_t read_raw(reader *stream, uint8_t *bytes, int64_t size, mm_error *error) {
  int64_t left = stream->head.size - stream->used;
  if (left == 0) return stream->ended ? 0 : read_file(stream, bytes, size, error);
  if (size > left) size = left;
  memcpy(bytes, stream->head.data + stream->used, (size_t)size);
  stream->used += size;
  return size;
}

static int64_t read_stored(void *stream, uint8_t *bytes, int64_t size, mm_error *error) {
  return read_raw(stream, bytes, size, error);
}

int64_t reader_read(reader *stream, uint8_t *bytes, int64_t size, mm_error *error) {
  int64_t got = stream->status;
  if (got == 0)
    got = stream->decoder ? zstd_decoder_read(stream->decoder, bytes, size, &stream->error)
                          : read_raw(stream, bytes, size, &stream->error);
  if (got >= 0) return got;
  stream->status = (int)got;
  if (error) *error = stream->error;
  return got;
}

/* Open the file and see that it can be read at all. Without O_NONBLOCK a named pipe would wait here for its writer. */
static int open_file(reader *stream, mm_error *error) {
  mm_file_status status;
  if (!is_stdin(stream->path)) {
    stream->fd = os_io.open(os_io.self, stream->path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
    if (stream->fd < 0) return error_fail_io(error, stream->path, -stream->fd, "cannot open");
  } else {
    stream->fd = 0;
  }
  int failure = os_io.stat(os_io.self, NULL, stream->fd, &status);
  if (failure < 0) return error_set_file(error, error_fail_io(error, NULL, -failure, "cannot look at"), stream->path);
  if (status.is_directory) {
    error_fail(error, MM_EIO, "is-directory", "cannot read: is a directory");
    return error_set_file(error, MM_EIO, stream->path);
  }
  stream->waits = !status.is_regular;
  if (status.size > status.at) stream->told = status.size - status.at;
  return 0;
}

/* Read enough to know what the file is. */
static int sniff(reader *stream, mm_error *error) {
  TRY(mm_buffer_reserve(&stream->head, stream->feed->chunk < SNIFF ? SNIFF : stream->feed->chunk, error));
  while (stream->head.size < SNIFF && !stream->ended) {
    int64_t got =
        read_file(stream, stream->head.data + stream->head.size, stream->head.capacity - stream->head.size, error);
    if (got < 0) return (int)got;
    stream->head.size += got;
  }
  if (!is_zstd(stream->head.data, stream->head.size)) return 0;
  return zstd_decoder_new(stream->feed, read_stored, stream, stream->path, &stream->decoder, error);
}

int reader_open(read_context *feed, const char *path, const mm_block *block, reader **result, mm_error *error) {
  reader *stream = memory_allocate_zero(sizeof *stream);
  if (!stream) return error_fail_memory(error, sizeof *stream);
  stream->feed = feed;
  stream->path = path;
  stream->fd = -1;
  stream->block = block;
  int status = block ? 0 : open_file(stream, error);
  if (status >= 0) status = sniff(stream, error);
  if (status < 0) reader_free(stream);
  else *result = stream;
  return status;
}

bool reader_is_compressed(const reader *stream) { return stream->decoder != NULL; }

void reader_free(reader *stream) {
  if (!stream) return;
  zstd_decoder_free(stream->decoder);
  if (stream->fd > 0) os_io.close(os_io.self, stream->fd);
  mm_buffer_free(&stream->head);
  memory_release(stream, sizeof *stream);
}
