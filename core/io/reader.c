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
#include <string.h>

enum { SNIFF = 16 };

struct file_reader {
  read_context *reading;
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
  mm_buffer peeked;    /* decompressed bytes that were looked at */
  int64_t peeked_used; /* of those */
  int status;          /* of the first failure, which is repeated */
  mm_error error;
};

static bool is_stdin(const char *path) { return strcmp(path, "-") == 0; }

/* Wait until there is something to read, in slices, so that the job can be cancelled meanwhile. */
static int wait_readable(file_reader *reader, mm_error *error) {
  struct pollfd look = {.fd = reader->fd, .events = POLLIN};
  int ready = 0;
  while (reader->waits && ready == 0) {
    TRY(file_wait_check(&reader->reading->wait, reader->path, "nothing came for", error));
    ready = poll(&look, 1, POLL_MS);
    if (ready < 0 && errno == EINTR) ready = 0;
  }
  return 0;
}

static int64_t read_block(file_reader *reader, uint8_t *bytes, int64_t size) {
  int64_t left = mm_block_size(reader->block) - reader->at;
  if (size > left) size = left;
  if (size > 0) memcpy(bytes, mm_block_data(reader->block) + reader->at, (size_t)size);
  reader->at += size;
  return size;
}

/* One read of the file: bytes, 0 at the end, or a status. */
static int64_t read_file(file_reader *reader, uint8_t *bytes, int64_t size, mm_error *error) {
  int64_t got = reader->block ? read_block(reader, bytes, size) : -EAGAIN;
  while (got == -EAGAIN || got == -EINTR) {
    TRY(wait_readable(reader, error));
    got = os_io.read(os_io.self, reader->fd, bytes, size);
    if (got == -EAGAIN) reader->waits = true;
  }
  if (got < 0) return error_set_file(error, error_fail_io(error, NULL, (int)-got, "cannot read"), reader->path);
  /* A regular file that ends before all bytes were read that it had when it was opened; what was added is read. */
  if (got == 0 && reader->taken < reader->told)
    return error_fail_changed(error, reader->path, reader->taken, reader->told);
  reader->ended = got == 0;
  reader->taken += got;
  atomic_fetch_add_explicit(&reader->reading->consumed, got, memory_order_relaxed);
  return got;
}

static int64_t read_raw(file_reader *reader, uint8_t *bytes, int64_t size, mm_error *error) {
  int64_t left = reader->head.size - reader->used;
  if (left == 0) return reader->ended ? 0 : read_file(reader, bytes, size, error);
  if (size > left) size = left;
  memcpy(bytes, reader->head.data + reader->used, (size_t)size);
  reader->used += size;
  return size;
}

static int64_t read_stored(void *reader, uint8_t *bytes, int64_t size, mm_error *error) {
  return read_raw(reader, bytes, size, error);
}

static int64_t read_decoded(file_reader *reader, uint8_t *bytes, int64_t size, mm_error *error) {
  int64_t got = reader->status;
  if (got == 0)
    got = reader->decoder ? zstd_decoder_read(reader->decoder, bytes, size, &reader->error)
                          : read_raw(reader, bytes, size, &reader->error);
  if (got >= 0) return got;
  reader->status = (int)got;
  if (error) *error = reader->error;
  return got;
}

int64_t reader_read(file_reader *reader, uint8_t *bytes, int64_t size, mm_error *error) {
  int64_t left = reader->peeked.size - reader->peeked_used;
  if (left == 0) return read_decoded(reader, bytes, size, error);
  if (size > left) size = left;
  memcpy(bytes, reader->peeked.data + reader->peeked_used, (size_t)size);
  reader->peeked_used += size;
  return size;
}

int64_t reader_peek(file_reader *reader, const uint8_t **bytes, int64_t size, mm_error *error) {
  mm_buffer *peeked = &reader->peeked;
  int64_t got = 1;
  TRY(mm_buffer_reserve(peeked, size, error));
  while (peeked->size < size && got > 0) {
    TRY(file_wait_check(&reader->reading->wait, reader->path, LATE_OPENING, error));
    got = read_decoded(reader, peeked->data + peeked->size, size - peeked->size, error);
    if (got > 0) peeked->size += got;
  }
  *bytes = peeked->data;
  return got < 0 && peeked->size == 0 ? got : peeked->size;
}

/* Open the file and see that it can be read at all. Without O_NONBLOCK a named pipe would wait here for its writer. */
static int open_file(file_reader *reader, mm_error *error) {
  mm_file_status status;
  if (!is_stdin(reader->path)) {
    reader->fd = os_io.open(os_io.self, reader->path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
    if (reader->fd < 0) return error_fail_io(error, reader->path, -reader->fd, "cannot open");
  } else {
    reader->fd = 0;
  }
  int failure = os_io.stat(os_io.self, NULL, reader->fd, &status);
  if (failure < 0) return error_set_file(error, error_fail_io(error, NULL, -failure, "cannot look at"), reader->path);
  if (status.is_directory) {
    error_fail(error, MM_EIO, "is-directory", "cannot read: is a directory");
    return error_set_file(error, MM_EIO, reader->path);
  }
  reader->waits = !status.is_regular;
  if (status.size > status.at) reader->told = status.size - status.at;
  return 0;
}

/* Read enough to know what the file is. */
static int sniff(file_reader *reader, mm_error *error) {
  TRY(mm_buffer_reserve(&reader->head, reader->reading->read_size < SNIFF ? SNIFF : reader->reading->read_size, error));
  while (reader->head.size < SNIFF && !reader->ended) {
    int64_t got =
        read_file(reader, reader->head.data + reader->head.size, reader->head.capacity - reader->head.size, error);
    if (got < 0) return (int)got;
    reader->head.size += got;
  }
  if (!is_zstd(reader->head.data, reader->head.size)) return 0;
  return zstd_decoder_new(reader->reading, read_stored, reader, reader->path, &reader->decoder, error);
}

int reader_open(read_context *reading, const char *path, const mm_block *block, file_reader **result, mm_error *error) {
  file_reader *reader = memory_allocate_zero(sizeof *reader);
  if (!reader) return error_fail_memory(error, sizeof *reader);
  reader->reading = reading;
  reader->path = path;
  reader->fd = -1;
  reader->block = block;
  int status = block ? 0 : open_file(reader, error);
  if (status >= 0) status = sniff(reader, error);
  if (status < 0) reader_free(reader);
  else *result = reader;
  return status;
}

bool reader_is_compressed(const file_reader *reader) { return reader->decoder != NULL; }

void reader_free(file_reader *reader) {
  if (!reader) return;
  zstd_decoder_free(reader->decoder);
  if (reader->fd > 0) os_io.close(os_io.self, reader->fd);
  mm_buffer_free(&reader->head);
  mm_buffer_free(&reader->peeked);
  memory_release(reader, sizeof *reader);
}
