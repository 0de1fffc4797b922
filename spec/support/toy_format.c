/* toy_format.c - a format of a host, for spec/core/formats/format_spec.lua, which compiles this file: after "TOY1\n"
 * one column of whole numbers, 8 bytes each. It sees the public headers alone.
 * SPDX-License-Identifier: MIT */
#include "stage.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char magic[] = {'T', 'O', 'Y', '1', '\n'};

/* ---- Options ---- */

typedef struct toy_options {
  int64_t scale;
  int32_t sign;
  char *column;
} toy_options;

static const mm_option_info read_list[] = {
    {"scale", "Numbers are multiplied by it.", MM_OPTION_WHOLE, offsetof(toy_options, scale), .fallback = "1",
     .least = 1, .most = 1000},
    {"sign", "What numbers become.", MM_OPTION_CHOICE, offsetof(toy_options, sign), .choices = "kept turned"},
    {"column", "Name of the column.", MM_OPTION_TEXT, offsetof(toy_options, column), .fallback = "value"},
};
static const mm_option_table reading = {read_list, 3, sizeof(toy_options), NULL};
static const mm_option_table writing = {.none = "this format is written in one way"};

/* ---- Reading ---- */

static bool toy_sniff(const uint8_t *bytes, int64_t size) {
  return size >= (int64_t)sizeof magic && memcmp(bytes, magic, sizeof magic) == 0;
}

static int fail(mm_error *error, const char *message) {
  if (!error) return MM_EDATA;
  *error = (mm_error){.code = MM_EDATA, .stage = -1, .place = -1, .row = -1, .id = "bad-toy"};
  snprintf(error->message, sizeof error->message, "%s", message);
  return MM_EDATA;
}

/* Bytes until `size` or the end of the file. */
static int64_t read_whole(mm_files *files, uint8_t *to, int64_t size, mm_error *error) {
  int64_t got = 0, some = 1;
  while (got < size && some > 0) {
    some = mm_files_read(files, to + got, size - got, error);
    if (some > 0) got += some;
  }
  return some < 0 ? some : got;
}

/* The next file, behind its first bytes: 1; 0: there are no more. */
static int begin_file(mm_files *files, mm_error *error) {
  uint8_t head[sizeof magic];
  int status = mm_files_next(files, error);
  if (status <= 0) return status;
  int64_t got = read_whole(files, head, sizeof head, error);
  if (got < 0) return (int)got;
  return toy_sniff(head, got) ? 1 : fail(error, "the file has another format");
}

static int toy_open(mm_input *input, mm_error *error) {
  const toy_options *options = input->options;
  int status = begin_file(input->files, error);
  return status < 0 ? status : mm_schema_add(&input->schema, options->column, (mm_type){.id = MM_I64}, false, error);
}

static void toy_close(mm_input *input) { (void)input; }

typedef struct toy_source {
  mm_source base;
  mm_input *input;
} toy_source;

typedef struct toy_piece {
  int64_t rows, given;
  int64_t values[MM_MORSEL];
} toy_piece;

static int toy_claim(mm_source *source, void **result, mm_error *error) {
  toy_source *s = (toy_source *)source;
  toy_piece *piece = calloc(1, sizeof *piece);
  int64_t size = 0, got = 0;
  int more = 1;
  while (size < (int64_t)sizeof piece->values && more > 0) {
    got = read_whole(s->input->files, (uint8_t *)piece->values + size, (int64_t)sizeof piece->values - size, error);
    if (got < 0) break;
    size += got;
    if (size < (int64_t)sizeof piece->values) more = begin_file(s->input->files, error);
  }
  piece->rows = size / 8;
  if (got >= 0 && more >= 0 && size > 0) {
    *result = piece;
    return 1;
  }
  free(piece);
  return got < 0 ? (int)got : more;
}

static int toy_load(mm_source *source, void *local, void *claimed, int64_t rows, mm_batch *out, mm_error *error) {
  (void)local;
  const toy_options *options = ((toy_source *)source)->input->options;
  toy_piece *piece = claimed;
  int64_t count = piece->rows - piece->given < rows ? piece->rows - piece->given : rows;
  if (count == 0) return 0;
  int status = mm_batch_resize(out, 1, error);
  if (status >= 0) status = mm_column_make(&out->columns[0], (mm_type){.id = MM_I64}, count, 0, false, error);
  if (status < 0) return status;
  int64_t *to = (int64_t *)mm_block_data(out->columns[0].data_block);
  for (int64_t i = 0; i < count; i++)
    to[i] = piece->values[piece->given + i] * options->scale * (options->sign ? -1 : 1);
  piece->given += count;
  out->length = count;
  return 1;
}

static void toy_locate(mm_source *source, void *piece, int64_t row, mm_error *error) {
  (void)source, (void)piece, (void)row, (void)error;
}

static void toy_drop(mm_source *source, void *piece) {
  (void)source;
  free(piece);
}

static void toy_progress(mm_source *source, mm_progress *progress) {
  mm_input_progress(((toy_source *)source)->input, progress);
}

static void toy_interrupt(mm_source *source) { mm_input_interrupt(((toy_source *)source)->input); }

static void toy_source_free(mm_source *source) {
  mm_input_free(((toy_source *)source)->input);
  mm_schema_free(&source->schema);
  free(source);
}

static const mm_source_class source_class = {.name = "toy",
                                             .claim = toy_claim,
                                             .load = toy_load,
                                             .locate = toy_locate,
                                             .drop = toy_drop,
                                             .progress = toy_progress,
                                             .interrupt = toy_interrupt,
                                             .free = toy_source_free};

static mm_source *toy_source_new(mm_input *input, const mm_schema *wanted, const int32_t *columns, mm_error *error) {
  (void)columns;
  toy_source *s = calloc(1, sizeof *s);
  s->base.vtable = &source_class;
  s->input = input;
  if (mm_schema_copy(&s->base.schema, wanted, error) >= 0) return &s->base;
  toy_source_free(&s->base);
  return NULL;
}

/* ---- Writing ---- */

typedef struct toy_sink {
  mm_stage base;
  FILE *file;
  char path[256];
} toy_sink;

static int sink_open(mm_stage *stage, mm_job *job, void **local, mm_error *error) {
  (void)stage, (void)job, (void)error;
  *local = calloc(1, sizeof(mm_buffer));
  return 0;
}

static void sink_close(mm_stage *stage, void *local) {
  (void)stage;
  if (local) mm_buffer_free(local);
  free(local);
}

static int sink_run(mm_stage *stage, void *local, const mm_batch *in, mm_batch *out, mm_error *error) {
  (void)stage, (void)out;
  return mm_buffer_append(local, in->columns[0].data, in->length * 8, error);
}

static int sink_cut(mm_stage *stage, void *local, void **partial, mm_error *error) {
  (void)stage, (void)error;
  mm_buffer *taken = *partial = calloc(1, sizeof *taken);
  *taken = *(mm_buffer *)local;
  *(mm_buffer *)local = (mm_buffer){0};
  return 0;
}

static int sink_fold(mm_stage *stage, void *partial, mm_error *error) {
  mm_buffer *bytes = partial;
  size_t size = (size_t)bytes->size, wrote = size ? fwrite(bytes->data, 1, size, ((toy_sink *)stage)->file) : 0;
  sink_close(stage, partial);
  return wrote == size ? 0 : fail(error, "cannot write");
}

static int sink_finish(mm_stage *stage, mm_job *job, mm_table *out, mm_error *error) {
  (void)job, (void)out;
  return fflush(((toy_sink *)stage)->file) ? fail(error, "cannot write") : 0;
}

static void sink_abandon(mm_stage *stage) { unlink(((toy_sink *)stage)->path); }

static void sink_free(mm_stage *stage) {
  fclose(((toy_sink *)stage)->file);
  free(stage);
}

static const mm_stage_class sink_class = {.name = "toy",
                                          .flags = MM_STAGE_BREAKER,
                                          .open = sink_open,
                                          .close = sink_close,
                                          .run = sink_run,
                                          .cut = sink_cut,
                                          .fold = sink_fold,
                                          .drop = sink_close,
                                          .finish = sink_finish,
                                          .abandon = sink_abandon,
                                          .free = sink_free};

static mm_stage *toy_sink_new(const char *path, const void *options, const mm_output_options *output, mm_error *error) {
  (void)options, (void)output;
  toy_sink *sink = calloc(1, sizeof *sink);
  sink->base.vtable = &sink_class;
  sink->base.flags = sink_class.flags;
  snprintf(sink->path, sizeof sink->path, "%s", path);
  sink->file = fopen(path, "wb");
  if (sink->file && fwrite(magic, 1, sizeof magic, sink->file) == sizeof magic) return &sink->base;
  fail(error, "cannot write");
  free(sink);
  return NULL;
}

static const mm_format toy_format = {.name = "toy",
                                     .extensions = ".toy .t",
                                     .reading = &reading,
                                     .writing = &writing,
                                     .sniff = toy_sniff,
                                     .open = toy_open,
                                     .close = toy_close,
                                     .source = toy_source_new,
                                     .sink = toy_sink_new};

const mm_format *const *toy_formats(void);
const mm_format *const *toy_formats(void) {
  static const mm_format *const list[] = {&toy_format};
  return list;
}
