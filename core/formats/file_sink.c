/* file_sink.c - the sink of a file, in the format that its path or a name says.
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"
#include "formats/format_registry.h"

/* The options, parsed, for the format's sink. */
static mm_stage *make_sink(const mm_format *format, const char *path, const mm_output_options *options,
                           mm_error *error) {
  const mm_option_table *table = format->writing;
  void *values = table->size ? memory_allocate(table->size) : NULL;
  mm_stage *sink = NULL;
  if (table->size && !values) {
    error_fail_memory(error, table->size);
    return NULL;
  }
  int status = mm_options_parse(format->name, table, options ? options->options : NULL,
                                options ? options->option_count : 0, values, error);
  if (status >= 0) {
    sink = format->sink(path, values, options, error);
    mm_options_free(table, values);
  }
  memory_release(values, table->size);
  return sink;
}

mm_stage *mm_sink_file(const char *path, const char *name, const mm_output_options *options, mm_error *error) {
  const mm_format *format = NULL;
  if (!name) format = format_by_path(path);
  else if (format_by_name(name, false, &format, error) < 0) return NULL;
  return make_sink(format, path, options, error);
}
