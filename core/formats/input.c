/* input.c - files that are opened as one table, whatever their format.
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"
#include "formats/format_registry.h"
#include "io/input_files.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLE_ROWS = 10000, SNIFF = 4096 };

static int choose_format(mm_input *input, const char *name, mm_error *error) {
  if (name) return format_by_name(name, true, &input->format, error);
  const uint8_t *bytes;
  int64_t size = input_files_peek(input->files, &bytes, SNIFF, error);
  if (size < 0) return (int)size;
  input->format = format_by_content(bytes, size < SNIFF ? size : SNIFF);
  return 0;
}

static int read_options(mm_input *input, const mm_input_options *options, mm_error *error) {
  const mm_option_table *table = input->format->reading;
  void *values = table->size ? memory_allocate(table->size) : NULL;
  if (table->size && !values) return error_fail_memory(error, table->size);
  int status = mm_options_parse(input->format->name, table, options ? options->options : NULL,
                                options ? options->option_count : 0, values, error);
  if (status >= 0) input->options = values;
  else memory_release(values, table->size);
  return status;
}

int mm_input_open(const char *const *paths, int32_t count, const mm_input_options *options, mm_input **result,
                  mm_error *error) {
  if (count <= 0) return error_fail(error, MM_EUSAGE, "no-input", "there is no input file");
  mm_input *input = memory_allocate_zero(sizeof *input);
  if (!input) return error_fail_memory(error, sizeof *input);
  if (!(input->files = memory_allocate_zero(sizeof *input->files))) {
    memory_release(input, sizeof *input);
    return error_fail_memory(error, sizeof *input->files);
  }
  input->sample_rows = options && options->sample_rows > 0 ? options->sample_rows : SAMPLE_ROWS;
  int status = input_files_init(input->files, paths, count, options, error);
  if (status >= 0) status = choose_format(input, options ? options->format : NULL, error);
  if (status >= 0) status = read_options(input, options, error);
  if (status >= 0) status = input->format->open(input, error);
  if (status < 0) {
    mm_input_free(input);
    return status;
  }
  file_wait_end(&input->files->reading.wait);
  if (!*input->kind) snprintf(input->kind, sizeof input->kind, "%.8s", input->format->name);
  if (input->files->compressed) {
    size_t used = strlen(input->kind);
    snprintf(input->kind + used, sizeof input->kind - used, ".zst");
  }
  *result = input;
  return 0;
}

const mm_schema *mm_input_schema(const mm_input *input) { return &input->schema; }
const char *mm_input_format(const mm_input *input) { return input->kind; }

int64_t mm_input_sampled(const mm_input *input, bool *all) {
  *all = input->sampled_all;
  return input->sampled;
}

bool mm_input_sampled_null(const mm_input *input, int32_t column) {
  return column < input->nulls.size && input->nulls.data[column];
}

void mm_input_free(mm_input *input) {
  if (!input) return;
  const mm_format *format = input->format;
  if (format) format->close(input);
  if (format && input->options) {
    mm_options_free(format->reading, input->options);
    memory_release(input->options, format->reading->size);
  }
  input_files_free(input->files);
  memory_release(input->files, sizeof *input->files);
  mm_schema_free(&input->schema);
  mm_buffer_free(&input->nulls);
  memory_release(input, sizeof *input);
}

/* ---- As a source ---- */

static int find_columns(const mm_input *input, const mm_schema *wanted, int32_t *columns, mm_error *error) {
  for (int32_t i = 0; i < wanted->count; i++)
    if ((columns[i] = mm_schema_find(&input->schema, wanted->fields[i].name)) < 0)
      return error_fail(error, MM_EUSAGE, "unknown-column", "the input has no column \"%.100s\"",
                        wanted->fields[i].name);
  return 0;
}

mm_source *mm_input_source(mm_input *input, const mm_schema *wanted, mm_error *error) {
  int64_t size = wanted->count * (int64_t)sizeof(int32_t);
  int32_t *columns = memory_allocate(size);
  int status = columns ? find_columns(input, wanted, columns, error) : error_fail_memory(error, size);
  mm_source *source = NULL;
  if (status < 0) mm_input_free(input);
  else source = input->format->source(input, wanted, columns, error);
  memory_release(columns, size);
  return source;
}

void mm_input_progress(const mm_input *input, mm_progress *progress) {
  progress->bytes = atomic_load_explicit(&input->files->reading.consumed, memory_order_relaxed);
  progress->bytes_total = input->files->bytes_total;
}

void mm_input_interrupt(mm_input *input) { input_files_interrupt(input->files); }
