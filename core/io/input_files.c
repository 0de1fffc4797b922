/* input_files.c - the files of an input, or blocks of memory in their place, read one after the other.
 * SPDX-License-Identifier: MIT */
#include "io/input_files.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/os.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static int check_path(mm_files *f, const char *path, mm_error *error) {
  mm_file_status status;
  if (!*path) return error_fail(error, MM_EUSAGE, "no-input", "the name of an input file is empty");
  if (strcmp(path, "-") == 0) {
    f->bytes_total = -1;
    return 0;
  }
  int failure = os_io.stat(os_io.self, path, -1, &status);
  if (failure < 0) return error_fail_io(error, path, -failure, "cannot open");
  if (status.size < 0) f->bytes_total = -1;
  else if (f->bytes_total >= 0) f->bytes_total += status.size;
  return 0;
}

static int hold_blocks(mm_files *f, mm_block *const *blocks, mm_error *error) {
  int64_t size = f->count * (int64_t)sizeof *f->blocks;
  if (!(f->blocks = memory_allocate_zero(size))) return error_fail_memory(error, size);
  for (int32_t i = 0; i < f->count; i++) {
    f->blocks[i] = blocks[i];
    mm_block_retain(blocks[i]);
    f->bytes_total += mm_block_size(blocks[i]);
  }
  return 0;
}

static int64_t read_size(const mm_input_options *options) {
  if (!options || options->chunk <= 0) return INPUT_READ_SIZE;
  return options->chunk < INPUT_READ_LIMIT ? options->chunk : INPUT_READ_LIMIT;
}

int input_files_init(mm_files *f, const char *const *paths, int32_t count, const mm_input_options *options,
                     mm_error *error) {
  mm_block *const *blocks = options ? options->blocks : NULL;
  pthread_mutex_init(&f->reading.lock, NULL);
  mm_cond_init(&f->reading.changed);
  f->reading.read_size = read_size(options);
  if (options) file_wait_begin(&f->reading.wait, options->open_timeout, options->interrupt, options->context);
  f->count = count;
  if (!(f->paths = memory_allocate_zero(count * (int64_t)sizeof *f->paths)))
    return error_fail_memory(error, count * (int64_t)sizeof *f->paths);
  for (int32_t i = 0; i < count; i++) {
    if (!(f->paths[i] = memory_copy_text(paths[i]))) return error_fail_memory(error, (int64_t)strlen(paths[i]) + 1);
    if (!blocks) TRY(check_path(f, paths[i], error));
  }
  return blocks ? hold_blocks(f, blocks, error) : 0;
}

void input_files_free(mm_files *f) {
  reader_free(f->reader);
  for (int32_t i = 0; i < f->count; i++) {
    if (f->paths && f->paths[i]) memory_release(f->paths[i], (int64_t)strlen(f->paths[i]) + 1);
    if (f->blocks) mm_block_release(f->blocks[i]);
  }
  memory_release(f->blocks, f->count * (int64_t)sizeof *f->blocks);
  memory_release(f->paths, f->count * (int64_t)sizeof *f->paths);
  pthread_mutex_destroy(&f->reading.lock);
  pthread_cond_destroy(&f->reading.changed);
}

void input_files_close(mm_files *f) {
  reader_free(f->reader);
  f->reader = NULL;
}

void input_files_interrupt(mm_files *f) {
  pthread_mutex_lock(&f->reading.lock);
  atomic_store(&f->reading.wait.stop, true);
  pthread_cond_broadcast(&f->reading.changed);
  pthread_mutex_unlock(&f->reading.lock);
}

int mm_files_next(mm_files *f, mm_error *error) {
  if (f->ahead) {
    f->ahead = false;
    return 1;
  }
  input_files_close(f);
  if (f->opened == f->count) return 0;
  TRY(reader_open(&f->reading, f->paths[f->opened], f->blocks ? f->blocks[f->opened] : NULL, &f->reader, error));
  f->opened++;
  f->compressed |= reader_is_compressed(f->reader);
  return 1;
}

int64_t input_files_peek(mm_files *f, const uint8_t **bytes, int64_t size, mm_error *error) {
  int status = mm_files_next(f, error);
  if (status <= 0) return status;
  f->ahead = true;
  return reader_peek(f->reader, bytes, size, error);
}

int64_t mm_files_read(mm_files *f, uint8_t *bytes, int64_t size, mm_error *error) {
  if (!f->reader) return 0;
  TRY(file_wait_check(&f->reading.wait, f->paths[f->opened - 1], LATE_OPENING, error));
  return reader_read(f->reader, bytes, size, error);
}

const char *mm_files_path(const mm_files *f, int32_t index) { return f->paths[index < 0 ? f->opened - 1 : index]; }
