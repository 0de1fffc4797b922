/* zstd_decoder.c - zstd in: frames one after the other, decompressed by a thread that runs ahead of the reader.
 *
 * DESIGN. The thread fills blocks of a ring and stops when it is full; the reader empties them. Where no thread can be
 * started the reader decompresses by itself, block by block. A failure takes its place in the ring's order, so what
 * was decompressed before it is read first. Windows are limited to 128 MiB and checksums are verified; the library's
 * memory counts as ours.
 *
 * SPDX-License-Identifier: MIT */
#include "io/zstd_decoder.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/os.h"
#include "io/zstd_memory.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { RING = 32, WINDOW_LOG = 27, FRAME_LIMIT = 1000000 };

typedef struct ring_block {
  uint8_t *data;
  int64_t size;
} ring_block;

struct zstd_decoder {
  read_context *reading;
  int64_t (*read)(void *source, uint8_t *bytes, int64_t size, mm_error *error); /* bytes as stored */
  void *source;
  const char *path;
  ZSTD_DCtx *context;
  uint8_t *input; /* read context->read_size bytes */
  ZSTD_inBuffer in;
  int64_t offset;      /* of input[0] in the file */
  int64_t frame_start; /* in the file */
  int64_t frames;
  bool within; /* a frame has begun and not ended */
  bool ended;

  ring_block ring[RING];
  int64_t head, tail; /* blocks read and blocks filled; under read context->lock */
  int64_t used;       /* bytes read of the head block; the reader's */
  bool finished;      /* nothing comes after the tail; under read context->lock */
  bool closing;       /* the reader goes away; under read context->lock */
  int status;         /* why it finished; under read context->lock */
  mm_error error;
  void *thread; /* NULL: the reader fills the ring */
};

/* ---- Decompressing ---- */

static int fail(zstd_decoder *d, const char *id, int64_t offset, const char *what, mm_error *error) {
  error_fail(error, MM_EDATA, id, "zstd: %s (at byte %lld of the compressed file)", what, (long long)offset);
  return error_set_file(error, MM_EDATA, d->path);
}

static int fail_zstd(zstd_decoder *d, size_t result, mm_error *error) {
  int64_t at = d->offset + (int64_t)d->in.pos;
  switch (ZSTD_getErrorCode(result)) {
  case ZSTD_error_memory_allocation: return error_fail_memory(error, 0);
  case ZSTD_error_checksum_wrong:
    return fail(d, "bad-checksum", at, "the checksum of a frame does not match its content", error);
  case ZSTD_error_dictionary_wrong: return fail(d, "zstd-dictionary", at, "the file needs a dictionary", error);
  case ZSTD_error_frameParameter_windowTooLarge:
    error_fail(error, MM_ELIMIT, "zstd-window", "zstd: the frame at byte %lld needs a window of more than 128 MiB",
               (long long)d->frame_start);
    if (error) memcpy(error->hint, "compress it again without --long or with --long=27", 51);
    return error_set_file(error, MM_ELIMIT, d->path);
  default: return fail(d, "corrupt-zstd", at, ZSTD_getErrorName(result), error);
  }
}

/* Read more compressed bytes: 1, 0 at the end of the file. */
static int refill(zstd_decoder *d, mm_error *error) {
  d->offset += (int64_t)d->in.size;
  d->in = (ZSTD_inBuffer){.src = d->input};
  int64_t got = d->read(d->source, d->input, d->reading->read_size, error);
  if (got < 0) return (int)got;
  d->in.size = (size_t)got;
  return got > 0;
}

static int truncated(zstd_decoder *d, mm_error *error) {
  if (d->frames > 0 && d->offset - d->frame_start < 4)
    return fail(d, "trailing-bytes", d->frame_start, "what follows the last frame is no zstd frame", error);
  return fail(d, "truncated-zstd", d->offset, "the file ends within a frame", error);
}

/* A frame is over, or the next begins. */
static int turn(zstd_decoder *d, size_t result, mm_error *error) {
  if (!ZSTD_isError(result)) {
    d->within = result != 0;
    if (!d->within && ++d->frames > FRAME_LIMIT) {
      error_fail(error, MM_ELIMIT, "zstd-frames", "zstd: more than %d frames", FRAME_LIMIT);
      return error_set_file(error, MM_ELIMIT, d->path);
    }
    return 0;
  }
  if (ZSTD_getErrorCode(result) == ZSTD_error_prefix_unknown && d->frames > 0)
    return fail(d, "trailing-bytes", d->frame_start, "what follows the last frame is no zstd frame", error);
  return fail_zstd(d, result, error);
}

/* Fill a block as far as the file goes. At its end the library may still hold back what did not fit into the block
 * before. */
static int fill_block(zstd_decoder *d, ring_block *block, mm_error *error) {
  ZSTD_outBuffer out = {.dst = block->data, .size = (size_t)d->reading->read_size};
  int status = 0;
  while (out.pos < out.size && status >= 0) {
    bool more = d->in.pos < d->in.size || (status = refill(d, error)) > 0;
    d->ended = status == 0 && !more && !d->within;
    if (status < 0 || d->ended) break;
    if (!d->within) d->frame_start = d->offset + (int64_t)d->in.pos;
    d->within = true;
    size_t before = out.pos;
    status = turn(d, ZSTD_decompressStream(d->context, &out, &d->in), error);
    if (status >= 0 && !more && d->within && out.pos == before) status = truncated(d, error);
  }
  block->size = (int64_t)out.pos;
  return status < 0 ? status : 0;
}

/* ---- The ring ---- */

static bool stopped(const zstd_decoder *d) {
  return d->closing || atomic_load_explicit(&d->reading->wait.stop, memory_order_relaxed);
}

/* Fill the tail block and publish it. Called and left without the lock. */
static void produce(zstd_decoder *d) {
  ring_block *block = &d->ring[d->tail % RING];
  mm_error error = {0};
  int status = fill_block(d, block, &error);
  pthread_mutex_lock(&d->reading->lock);
  if (block->size > 0) d->tail++;
  if (status < 0 || d->ended) {
    d->finished = true;
    d->status = status;
    d->error = error;
  }
  pthread_cond_broadcast(&d->reading->changed);
  pthread_mutex_unlock(&d->reading->lock);
}

static void decode_blocks(void *argument) {
  zstd_decoder *d = argument;
  for (;;) {
    pthread_mutex_lock(&d->reading->lock);
    while (d->tail - d->head == RING && !stopped(d)) pthread_cond_wait(&d->reading->changed, &d->reading->lock);
    bool over = d->finished || stopped(d);
    pthread_mutex_unlock(&d->reading->lock);
    if (over) return;
    produce(d);
  }
}

/* For as long as it takes, or as who opens the file likes to wait between two looks around. With the lock. */
static int wait_for_text(zstd_decoder *d, mm_error *error) {
  read_context *reading = d->reading;
  if (!reading->wait.interrupt) {
    pthread_cond_wait(&reading->changed, &reading->lock);
    return 0;
  }
  struct timespec until = mm_moment_after(POLL_MS);
  if (pthread_cond_timedwait(&reading->changed, &reading->lock, &until) != ETIMEDOUT) return 0;
  pthread_mutex_unlock(&reading->lock);
  int status = file_wait_check(&reading->wait, d->path, LATE_OPENING, error);
  pthread_mutex_lock(&reading->lock);
  return status;
}

/* The head block, once there is one: 1, 0 at the end, or a status. */
static int consume(zstd_decoder *d, mm_error *error) {
  if (!d->thread && d->head == d->tail && !d->finished) produce(d);
  int status = 0;
  pthread_mutex_lock(&d->reading->lock);
  while (d->head == d->tail && !d->finished && !stopped(d) && status >= 0) status = wait_for_text(d, error);
  bool ready = d->head < d->tail, finished = d->finished;
  pthread_mutex_unlock(&d->reading->lock);
  if (status < 0) return status;
  if (ready) return 1;
  if (!finished) return error_fail(error, MM_ECANCEL, "cancelled", "reading was cancelled");
  if (d->status < 0 && error) *error = d->error;
  return d->status;
}

int64_t zstd_decoder_read(zstd_decoder *d, uint8_t *bytes, int64_t size, mm_error *error) {
  int status = consume(d, error);
  if (status <= 0) return status;
  const ring_block *block = &d->ring[d->head % RING];
  int64_t left = block->size - d->used;
  if (size > left) size = left;
  memcpy(bytes, block->data + d->used, (size_t)size);
  d->used += size;
  if (size == left) {
    pthread_mutex_lock(&d->reading->lock);
    d->head++;
    d->used = 0;
    pthread_cond_broadcast(&d->reading->changed);
    pthread_mutex_unlock(&d->reading->lock);
  }
  return size;
}

bool is_zstd(const uint8_t *bytes, int64_t size) {
  if (size < 4) return false;
  bool frame = memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0;
  bool skippable = (bytes[0] & 0xf0) == 0x50 && memcmp(bytes + 1, "\x2a\x4d\x18", 3) == 0;
  return frame || skippable;
}

int zstd_decoder_new(read_context *reading,
                     int64_t (*read)(void *source, uint8_t *bytes, int64_t size, mm_error *error), void *source,
                     const char *path, zstd_decoder **result, mm_error *error) {
  zstd_decoder *d = memory_allocate_zero(sizeof *d);
  if (!d) return error_fail_memory(error, sizeof *d);
  d->reading = reading;
  d->read = read;
  d->source = source;
  d->path = path;
  bool failed =
      !(d->context = ZSTD_createDCtx_advanced(zstd_memory)) || !(d->input = memory_allocate(reading->read_size));
  for (int i = 0; i < RING && !failed; i++) failed = !(d->ring[i].data = memory_allocate(reading->read_size));
  if (failed) {
    zstd_decoder_free(d);
    return error_fail_memory(error, (RING + 1) * reading->read_size);
  }
  d->in.src = d->input;
  ZSTD_DCtx_setParameter(d->context, ZSTD_d_windowLogMax, WINDOW_LOG);
  if (os_threads.start(os_threads.self, &d->thread, decode_blocks, d) < 0) d->thread = NULL;
  *result = d;
  return 0;
}

void zstd_decoder_free(zstd_decoder *d) {
  if (!d) return;
  if (d->thread) {
    pthread_mutex_lock(&d->reading->lock);
    d->closing = true;
    pthread_cond_broadcast(&d->reading->changed);
    pthread_mutex_unlock(&d->reading->lock);
    os_threads.join(os_threads.self, d->thread);
  }
  for (int i = 0; i < RING; i++) memory_release(d->ring[i].data, d->reading->read_size);
  memory_release(d->input, d->reading->read_size);
  ZSTD_freeDCtx(d->context);
  memory_release(d, sizeof *d);
}
