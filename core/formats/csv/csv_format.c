/* csv_format.c - CSV and lines of text as formats: files are opened, their first rows looked at, and become a source.
 * Lines are CSV whose delimiter is the line feed, without quotes, header and nulls.
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_format.h"
#include "base/alloc.h"
#include "base/error.h"
#include "formats/csv/csv_infer.h"
#include "formats/csv/csv_parser.h"
#include "formats/csv/csv_writer.h"
#include "types/type.h"
#include <stdio.h>
#include <string.h>

/* ---- Opening ---- */

/* An open input: mm_input.state. */
typedef struct csv_input {
  csv_splitter splitter;
  csv_chunk **ahead; /* cut for the sample, in order */
  int64_t ahead_count, ahead_given, ahead_capacity;
} csv_input;

static int keep_ahead(csv_input *input, csv_chunk *chunk, mm_error *error) {
  if (input->ahead_count == input->ahead_capacity) {
    int64_t width = sizeof *input->ahead, old = input->ahead_capacity, fresh = old ? 2 * old : 4;
    csv_chunk **ahead = memory_resize(input->ahead, old * width, fresh * width);
    if (!ahead) {
      csv_chunk_free(chunk);
      return error_fail_memory(error, fresh * width);
    }
    input->ahead = ahead;
    input->ahead_capacity = fresh;
  }
  input->ahead[input->ahead_count++] = chunk;
  return 0;
}

/* Cut the chunks that hold the sample. What is wrong before the first whole row is told at once, there being nothing to
 * infer from; what is wrong later, when the rows are read. */
static int cut_sample(csv_input *csv, int64_t wanted, mm_error *error) {
  csv_chunk *chunk;
  int status = 1;
  for (int64_t rows = 0; rows < wanted && (status = csv_splitter_next(&csv->splitter, &chunk, error)) > 0;) {
    if (rows + chunk->rows == 0 && chunk->failure.code) {
      if (error) *error = chunk->failure;
      status = chunk->failure.code;
      csv_chunk_free(chunk);
      break;
    }
    rows += chunk->rows;
    TRY(keep_ahead(csv, chunk, error));
  }
  return status < 0 ? status : 0;
}

static int64_t rows_ahead(const csv_input *csv) {
  int64_t rows = 0;
  for (int64_t i = 0; i < csv->ahead_count; i++) rows += csv->ahead[i]->rows;
  return rows;
}

/* Begin to read in a dialect: input->state, with the sample cut. */
static int begin_input(mm_input *input, const csv_dialect *dialect, mm_error *error) {
  csv_input *csv = input->state = memory_allocate_zero(sizeof *csv);
  if (!csv) return error_fail_memory(error, sizeof *csv);
  csv->splitter.dialect = *dialect;
  csv->splitter.files = input->files;
  if (dialect->lines) TRY(csv_header_single(&csv->splitter.names, "line", error));
  TRY(csv_splitter_init(&csv->splitter, input->files, error));
  return cut_sample(csv, input->sample_rows, error);
}

static void note_sampled(mm_input *input, int64_t rows) {
  const csv_input *csv = input->state;
  bool whole = !csv->ahead_count || !csv->ahead[csv->ahead_count - 1]->failure.code;
  input->sampled = rows;
  input->sampled_all = csv->splitter.done && whole && rows_ahead(csv) == rows;
}

static int csv_open(mm_input *input, mm_error *error) {
  csv_dialect dialect;
  csv_sample sample = {.rows = input->sample_rows, .nulls = &input->nulls};
  TRY(csv_dialect_set(&dialect, input->options, error));
  TRY(begin_input(input, &dialect, error));
  csv_input *csv = input->state;
  TRY(csv_infer(&csv->splitter, csv->ahead, csv->ahead_count, &sample, &input->schema, error));
  note_sampled(input, sample.rows);
  snprintf(input->kind, sizeof input->kind, "%s", csv->splitter.dialect.delimiter == '\t' ? "tsv" : "csv");
  return 0;
}

/* Lines are what they are, whatever the sample shows. */
static int lines_open(mm_input *input, mm_error *error) {
  csv_dialect dialect = {.delimiter = '\n', .quote = '"', .no_header = true, .lines = true};
  TRY(begin_input(input, &dialect, error));
  note_sampled(input, rows_ahead(input->state));
  snprintf(input->kind, sizeof input->kind, "text");
  return mm_schema_add(&input->schema, "line", (mm_type){.id = MM_UTF8}, false, error);
}

static void csv_close(mm_input *input) {
  csv_input *csv = input->state;
  if (!csv) return;
  for (int64_t i = csv->ahead_given; i < csv->ahead_count; i++) csv_chunk_free(csv->ahead[i]);
  memory_release(csv->ahead, csv->ahead_capacity * (int64_t)sizeof *csv->ahead);
  csv_splitter_free(&csv->splitter);
  memory_release(csv, sizeof *csv);
}

/* ---- Source ---- */

typedef struct csv_source {
  mm_source base;
  mm_input *input;
  csv_input *csv;   /* its state */
  int32_t *columns; /* of the first file, by column of the schema */
} csv_source;

/* A chunk as its worker reads it. */
typedef struct claimed_chunk {
  csv_chunk *chunk;
  csv_cursor cursor;
} claimed_chunk;

static int source_claim(mm_source *source, void **chunk, mm_error *error) {
  csv_input *csv = ((csv_source *)source)->csv;
  claimed_chunk *made = memory_allocate_zero(sizeof *made);
  if (!made) return error_fail_memory(error, sizeof *made);
  int status = 1;
  if (csv->ahead_given < csv->ahead_count) made->chunk = csv->ahead[csv->ahead_given++];
  else status = csv_splitter_next(&csv->splitter, &made->chunk, error);
  if (status <= 0) memory_release(made, sizeof *made);
  else *chunk = made;
  return status;
}

static int source_open(mm_source *source, void **local, mm_error *error) {
  csv_source *s = (csv_source *)source;
  return csv_parser_new(&s->csv->splitter, &s->base.schema, s->columns, (csv_parser **)local, error);
}

static void source_close(mm_source *source, void *local) {
  (void)source;
  csv_parser_free(local);
}

static int source_load(mm_source *source, void *local, void *chunk, int64_t rows, mm_batch *out, mm_error *error) {
  (void)source;
  claimed_chunk *r = chunk;
  return csv_parser_load(local, r->chunk, &r->cursor, rows, out, error);
}

static void source_locate(mm_source *source, void *chunk, int64_t row, mm_error *error) {
  csv_locate_row(&((csv_source *)source)->csv->splitter, ((claimed_chunk *)chunk)->chunk, row, error);
}

static void source_drop(mm_source *source, void *chunk) {
  (void)source;
  csv_chunk_free(((claimed_chunk *)chunk)->chunk);
  memory_release(chunk, sizeof(claimed_chunk));
}

static void source_progress(mm_source *source, mm_progress *progress) {
  mm_input_progress(((csv_source *)source)->input, progress);
}

static void source_interrupt(mm_source *source) { mm_input_interrupt(((csv_source *)source)->input); }

static void source_free(mm_source *source) {
  csv_source *s = (csv_source *)source;
  memory_release(s->columns, s->base.schema.count * (int64_t)sizeof *s->columns);
  mm_schema_free(&s->base.schema);
  mm_input_free(s->input);
  memory_release(s, sizeof *s);
}

static const mm_source_class csv_source_class = {.name = "csv",
                                                 .claim = source_claim,
                                                 .open = source_open,
                                                 .close = source_close,
                                                 .load = source_load,
                                                 .locate = source_locate,
                                                 .drop = source_drop,
                                                 .progress = source_progress,
                                                 .interrupt = source_interrupt,
                                                 .free = source_free};

static int check_types(const mm_schema *wanted, mm_error *error) {
  for (int32_t i = 0; i < wanted->count; i++) {
    const mm_field *field = &wanted->fields[i];
    char name[100];
    if (!type_is_text(field->type.id) && !csv_field_parser_of(field->type))
      return error_fail(error, MM_EUSAGE, "bad-type", "column \"%.100s\": %s cannot be read from CSV", field->name,
                        mm_type_name(field->type, name, sizeof name));
  }
  return 0;
}

static mm_source *csv_source_new(mm_input *input, const mm_schema *wanted, const int32_t *columns, mm_error *error) {
  csv_source *s = memory_allocate_zero(sizeof *s);
  int64_t size = wanted->count * (int64_t)sizeof *s->columns;
  if (!s) {
    mm_input_free(input);
    error_fail_memory(error, sizeof *s);
    return NULL;
  }
  s->base.vtable = &csv_source_class;
  s->input = input;
  s->csv = input->state;
  int status = mm_schema_copy(&s->base.schema, wanted, error);
  if (status >= 0 && !(s->columns = memory_allocate(size))) status = error_fail_memory(error, size);
  if (status >= 0) memcpy(s->columns, columns, (size_t)size);
  if (status >= 0) status = check_types(wanted, error);
  if (status >= 0) return &s->base;
  source_free(&s->base);
  return NULL;
}

/* ---- The formats ---- */

static bool csv_sniff(const uint8_t *bytes, int64_t size) { return !csv_foreign_content(bytes, size); }

const mm_format csv_format = {.name = "csv",
                              .extensions = ".csv .tsv .tab .txt",
                              .reading = &csv_reading,
                              .writing = &csv_writing,
                              .sniff = csv_sniff,
                              .open = csv_open,
                              .close = csv_close,
                              .source = csv_source_new,
                              .sink = csv_sink_new};

static const mm_option_table lines_reading = {
    .none = "lines of text have no fields, header or nulls: read them without options"};

const mm_format lines_format = {.name = "lines",
                                .extensions = "",
                                .reading = &lines_reading,
                                .open = lines_open,
                                .close = csv_close,
                                .source = csv_source_new};
