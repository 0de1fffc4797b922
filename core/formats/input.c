/* input.c - files opened as one table: its columns, and the source that reads them.
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"
#include "formats/csv/csv_infer.h"
#include "formats/csv/csv_parser.h"
#include "stage.h"
#include "types/type.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLE_ROWS = 10000 };

struct mm_input {
  csv_splitter splitter;
  mm_schema schema;
  csv_sample sample;
  char *nulls;
  csv_chunk **ahead; /* cut for the sample, in order */
  int64_t ahead_count, ahead_given, ahead_capacity;
  char format[16];
};

/* ---- Input ---- */

static int check_options(const mm_csv_options *o, mm_error *error) {
  bool quoting = o->quote != (char)-1;
  if (o->delimiter == '\n' || o->delimiter == '\r')
    return error_fail(error, MM_EUSAGE, "bad-delimiter", "a line end cannot be the delimiter");
  if (quoting && (o->quote == '\n' || o->quote == '\r'))
    return error_fail(error, MM_EUSAGE, "bad-quote-option", "a line end cannot be the quote");
  if (o->lines && (o->delimiter || o->quote || o->no_header || o->ragged || o->nulls))
    return error_fail(error, MM_EUSAGE, "lines-option",
                      "lines of text have no fields, header or nulls: read them without options");
  if (quoting && o->delimiter && o->delimiter == (o->quote ? o->quote : '"'))
    return error_fail(error, MM_EUSAGE, "bad-delimiter", "the delimiter cannot be the quote");
  return 0;
}

static int set_options(mm_input *input, const mm_csv_options *o, mm_error *error) {
  csv_dialect *dialect = &input->splitter.dialect;
  dialect->quote = '"';
  dialect->quoting = true;
  if (!o) return 0;
  TRY(check_options(o, error));
  dialect->delimiter = (uint8_t)o->delimiter;
  dialect->quoting = o->quote != (char)-1;
  if (o->quote) dialect->quote = (uint8_t)o->quote;
  dialect->ragged = o->ragged;
  dialect->no_header = o->no_header;
  if (o->lines) {
    dialect->lines = dialect->no_header = true;
    dialect->delimiter = '\n';
    dialect->quoting = false;
    TRY(csv_header_single(&input->splitter.names, "line", error));
  }
  if (o->nulls && !(input->nulls = memory_copy_text(o->nulls)))
    return error_fail_memory(error, (int64_t)strlen(o->nulls) + 1);
  dialect->nulls = input->nulls;
  input->splitter.reading.read_size = o->chunk;
  return 0;
}

static int keep_ahead(mm_input *input, csv_chunk *chunk, mm_error *error) {
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

/* Lines are what they are, whatever the sample shows. */
static int know_lines(mm_input *input, mm_error *error) {
  input->sample.rows = 0;
  for (int64_t i = 0; i < input->ahead_count; i++) input->sample.rows += input->ahead[i]->rows;
  if (!(input->sample.nulls = memory_allocate_zero(1))) return error_fail_memory(error, 1);
  return mm_schema_add(&input->schema, "line", (mm_type){.id = MM_UTF8}, false, error);
}

/* Cut the chunks that hold the sample, and infer the types. What is wrong before the first whole row is told at once,
 * there being nothing to infer from; what is wrong later, when the rows are read. */
static int look_at_rows(mm_input *input, mm_error *error) {
  csv_chunk *chunk;
  int status = 1;
  for (int64_t rows = 0;
       rows < input->sample.rows && (status = csv_splitter_next(&input->splitter, &chunk, error)) > 0;) {
    if (rows + chunk->rows == 0 && chunk->failure.code) {
      if (error) *error = chunk->failure;
      status = chunk->failure.code;
      csv_chunk_free(chunk);
      break;
    }
    rows += chunk->rows;
    TRY(keep_ahead(input, chunk, error));
  }
  if (status < 0) return status;
  if (input->splitter.dialect.lines) return know_lines(input, error);
  return csv_infer(&input->splitter, input->ahead, input->ahead_count, &input->sample, &input->schema, error);
}

int mm_input_open(const char *const *paths, int32_t count, const mm_csv_options *options, mm_input **result,
                  mm_error *error) {
  if (count <= 0) return error_fail(error, MM_EUSAGE, "no-input", "there is no input file");
  mm_input *input = memory_allocate_zero(sizeof *input);
  if (!input) return error_fail_memory(error, sizeof *input);
  int status = set_options(input, options, error);
  if (options)
    file_wait_begin(&input->splitter.reading.wait, options->open_timeout, options->interrupt, options->context);
  if (status >= 0) status = csv_splitter_init(&input->splitter, paths, options ? options->blocks : NULL, count, error);
  input->sample.rows = options && options->sample_rows > 0 ? options->sample_rows : SAMPLE_ROWS;
  if (status >= 0) status = look_at_rows(input, error);
  if (status < 0) {
    mm_input_free(input);
    return status;
  }
  file_wait_end(&input->splitter.reading.wait);
  const csv_dialect *dialect = &input->splitter.dialect;
  snprintf(input->format, sizeof input->format, "%s%s",
           dialect->lines               ? "text"
           : dialect->delimiter == '\t' ? "tsv"
                                        : "csv",
           input->splitter.compressed ? ".zst" : "");
  *result = input;
  return 0;
}

const mm_schema *mm_input_schema(const mm_input *input) { return &input->schema; }
const char *mm_input_format(const mm_input *input) { return input->format; }

int64_t mm_input_sampled(const mm_input *input, bool *all) {
  int64_t rows = 0;
  for (int64_t i = 0; i < input->ahead_count; i++) rows += input->ahead[i]->rows;
  bool whole = !input->ahead_count || !input->ahead[input->ahead_count - 1]->failure.code;
  *all = input->splitter.done && whole && rows == input->sample.rows;
  return input->sample.rows;
}

bool mm_input_sampled_null(const mm_input *input, int32_t column) { return input->sample.nulls[column]; }

void mm_input_free(mm_input *input) {
  if (!input) return;
  for (int64_t i = input->ahead_given; i < input->ahead_count; i++) csv_chunk_free(input->ahead[i]);
  memory_release(input->ahead, input->ahead_capacity * (int64_t)sizeof *input->ahead);
  if (input->sample.nulls) memory_release(input->sample.nulls, input->splitter.names.count);
  csv_splitter_free(&input->splitter);
  mm_schema_free(&input->schema);
  if (input->nulls) memory_release(input->nulls, (int64_t)strlen(input->nulls) + 1);
  memory_release(input, sizeof *input);
}

/* ---- Source ---- */

typedef struct csv_source {
  mm_source base;
  mm_input *input;
  int32_t *columns; /* of the first file, by column of the schema */
} csv_source;

/* A chunk as its worker reads it. */
typedef struct claimed_chunk {
  csv_chunk *chunk;
  csv_cursor cursor;
} claimed_chunk;

static int source_claim(mm_source *source, void **chunk, mm_error *error) {
  mm_input *input = ((csv_source *)source)->input;
  claimed_chunk *made = memory_allocate_zero(sizeof *made);
  if (!made) return error_fail_memory(error, sizeof *made);
  int status = 1;
  if (input->ahead_given < input->ahead_count) made->chunk = input->ahead[input->ahead_given++];
  else status = csv_splitter_next(&input->splitter, &made->chunk, error);
  if (status <= 0) memory_release(made, sizeof *made);
  else *chunk = made;
  return status;
}

static int source_open(mm_source *source, void **local, mm_error *error) {
  csv_source *s = (csv_source *)source;
  return csv_parser_new(&s->input->splitter, &s->base.schema, s->columns, (csv_parser **)local, error);
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
  csv_locate_row(&((csv_source *)source)->input->splitter, ((claimed_chunk *)chunk)->chunk, row, error);
}

static void source_drop(mm_source *source, void *chunk) {
  (void)source;
  csv_chunk_free(((claimed_chunk *)chunk)->chunk);
  memory_release(chunk, sizeof(claimed_chunk));
}

static void source_progress(mm_source *source, mm_progress *progress) {
  const csv_splitter *splitter = &((csv_source *)source)->input->splitter;
  progress->bytes = atomic_load_explicit(&splitter->reading.consumed, memory_order_relaxed);
  progress->bytes_total = splitter->bytes_total;
}

static void source_interrupt(mm_source *source) {
  read_context *reading = &((csv_source *)source)->input->splitter.reading;
  pthread_mutex_lock(&reading->lock);
  atomic_store(&reading->wait.stop, true);
  pthread_cond_broadcast(&reading->changed);
  pthread_mutex_unlock(&reading->lock);
}

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

/* Find the wanted columns, and see that their types can be read. */
static int bind_columns(csv_source *s, const mm_schema *wanted, mm_error *error) {
  for (int32_t i = 0; i < wanted->count; i++) {
    const mm_field *field = &wanted->fields[i];
    s->columns[i] = csv_header_find(&s->input->splitter.names, field->name);
    if (s->columns[i] < 0)
      return error_fail(error, MM_EUSAGE, "unknown-column", "the input has no column \"%.100s\"", field->name);
    char name[100];
    if (!type_is_text(field->type.id) && !csv_field_parser_of(field->type))
      return error_fail(error, MM_EUSAGE, "bad-type", "column \"%.100s\": %s cannot be read from CSV", field->name,
                        mm_type_name(field->type, name, sizeof name));
  }
  return 0;
}

mm_source *mm_input_source(mm_input *input, const mm_schema *wanted, mm_error *error) {
  csv_source *s = memory_allocate_zero(sizeof *s);
  int64_t size = wanted->count * (int64_t)sizeof *s->columns;
  if (!s) {
    mm_input_free(input);
    error_fail_memory(error, sizeof *s);
    return NULL;
  }
  s->base.vtable = &csv_source_class;
  s->input = input;
  int status = mm_schema_copy(&s->base.schema, wanted, error);
  if (status >= 0 && !(s->columns = memory_allocate(size))) status = error_fail_memory(error, size);
  if (status >= 0) status = bind_columns(s, wanted, error);
  if (status >= 0) return &s->base;
  source_free(&s->base);
  return NULL;
}
