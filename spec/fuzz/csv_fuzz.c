/* csv_fuzz.c - the CSV reader over hostile bytes, under options taken from the first three of them: with inferred types
 * it only has to come to an end; with all columns as binary text, what it accepts equals what a reader byte by byte
 * sees, from a file and from memory; and the same bytes as lines are what stands between their newlines. The third byte
 * says how often a part of the bytes is repeated, so that rows become longer than what is read and looked at at once.
 * SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "io/zstd_decoder.h"
#include "stage.h"
#include "types/column.h"
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) __builtin_trap();                                                                                \
  } while (0)

/* ---- A file system of one file ---- */

static const uint8_t *file_bytes;
static int64_t file_size, file_at;

static int file_open(void *self, const char *path, int flags, int mode) {
  (void)self, (void)path, (void)flags, (void)mode;
  file_at = 0;
  return 1000;
}
static int64_t file_read(void *self, int fd, void *bytes, int64_t size) {
  (void)self, (void)fd;
  if (size > file_size - file_at) size = file_size - file_at;
  memcpy(bytes, file_bytes + file_at, (size_t)size);
  file_at += size;
  return size;
}
static int file_stat(void *self, const char *path, int fd, mm_file_status *status) {
  (void)self, (void)path, (void)fd;
  *status = (mm_file_status){.size = file_size, .is_regular = 1};
  return 0;
}
static int file_close(void *self, int fd) {
  (void)self, (void)fd;
  return 0;
}
static const mm_io one_file = {.open = file_open, .read = file_read, .stat = file_stat, .close = file_close};

/* ---- The reader ---- */

/* How it reads. */
typedef struct how {
  char delimiter, quote; /* 0: not given; quote -1: none */
  bool no_header, ragged, lines;
  const char *nulls;
  int32_t sample_rows, chunk;
  mm_block *const *blocks;
} how;

/* As the core takes it; the list lives as long as what is filled in. */
static void fill_options(const how *h, mm_option list[5], mm_input_options *options) {
  int32_t count = 0;
  *options = (mm_input_options){.sample_rows = h->sample_rows, .chunk = h->chunk, .blocks = h->blocks, .options = list};
  if (h->lines) options->format = "lines";
  if (h->delimiter) list[count++] = (mm_option){"delimiter", &h->delimiter, 1};
  if (h->quote == (char)-1) list[count++] = (mm_option){"quote", "none", 4};
  else if (h->quote) list[count++] = (mm_option){"quote", &h->quote, 1};
  if (h->no_header) list[count++] = (mm_option){"header", "false", 5};
  if (h->ragged) list[count++] = (mm_option){"ragged", "true", 4};
  if (h->nulls) list[count++] = (mm_option){"null", h->nulls, (int64_t)strlen(h->nulls)};
  options->option_count = count;
}

/* Read all columns; `type`: of all of them, MM_NULL: as inferred. A status, and the table. */
static int read_all(const how *options, int type, int32_t batch_rows, mm_table *table) {
  const char *path = "f.csv";
  mm_input_options given;
  mm_option list[5];
  mm_input *input;
  mm_error error = {0};
  mm_schema wanted = {0};
  if (file_size > 4096) batch_rows *= 64; /* column_of looks at one batch after the other */
  fill_options(options, list, &given);
  TRY(mm_input_open(&path, 1, &given, &input, &error));
  const mm_schema *schema = mm_input_schema(input);
  for (int32_t i = 0; i < schema->count; i++) {
    mm_type kind = type == MM_NULL ? schema->fields[i].type : (mm_type){.id = (uint8_t)type};
    CHECK(mm_schema_add(&wanted, schema->fields[i].name, kind, true, &error) >= 0);
  }
  mm_source *source = mm_input_source(input, &wanted, &error);
  CHECK(source); /* what was inferred can be read */
  mm_schema_free(&wanted);
  mm_job *job = mm_job_new(source, &(mm_job_options){.threads = 1, .batch_rows = batch_rows}, &error);
  CHECK(job && mm_job_add(job, mm_sink_table(-1, &error), &error) >= 0);
  int status = mm_job_run(job, &error);
  CHECK(status >= 0 || error.message[0]);
  if (status >= 0) status = mm_job_take_result(job, table, NULL, &error);
  mm_job_free(job);
  return status;
}

/* ---- Byte by byte ---- */

typedef struct naive {
  const uint8_t *at, *end;
  uint8_t delimiter, quote;
  bool quoting;
  uint8_t *field; /* the last one */
  int64_t size;
  bool quoted, last; /* it was; it ended its row */
} naive;

static void read_field(naive *n) {
  n->size = 0;
  n->quoted = n->quoting && n->at < n->end && *n->at == n->quote;
  if (n->quoted) {
    for (n->at++; n->at < n->end && (*n->at != n->quote || (n->at + 1 < n->end && n->at[1] == n->quote)); n->at++) {
      n->field[n->size++] = *n->at;
      n->at += *n->at == n->quote;
    }
    CHECK(n->at < n->end); /* at the closing quote */
    n->at++;
    if (n->at < n->end && *n->at == '\r' && *n->at != n->delimiter) n->at++;
    CHECK(n->at == n->end || *n->at == n->delimiter || *n->at == '\n');
  } else {
    while (n->at < n->end && *n->at != n->delimiter && *n->at != '\n') n->field[n->size++] = *n->at++;
  }
  n->last = n->at == n->end || *n->at == '\n';
  if (!n->quoted && n->last && n->size && n->field[n->size - 1] == '\r') n->size--;
  n->at += n->at < n->end;
}

static bool is_null_text(const naive *n, const char *nulls) {
  return !n->quoted && (n->size == 0 || (nulls && n->size == 2 && memcmp(n->field, nulls, 2) == 0));
}

static const mm_column *column_of(const mm_table *table, int32_t column, int64_t *row) {
  for (int64_t b = 0; b < table->count; b++) {
    if (*row < table->batches[b].length) return &table->batches[b].columns[column];
    *row -= table->batches[b].length;
  }
  return NULL;
}

static void check_cell(const mm_table *table, int64_t row, int32_t c, bool null, const uint8_t *bytes, int64_t size) {
  const mm_column *column = column_of(table, c, &row);
  CHECK(column && column_is_null(column, row) == null);
  if (null) return;
  int32_t from = column->offsets[row];
  CHECK(column->offsets[row + 1] - from == size
        && memcmp((const uint8_t *)column->data + from, bytes, (size_t)size) == 0);
}

/* An empty line before the end, which is no row where rows have several fields. */
static bool is_last_blank(const naive *n) {
  int64_t left = n->end - n->at;
  return (left == 1 && (*n->at == '\n' || *n->at == '\r')) || (left == 2 && memcmp(n->at, "\r\n", 2) == 0);
}

static void compare(const how *options, const mm_table *table) {
  naive n = {.at = file_bytes, .end = file_bytes + file_size, .delimiter = (uint8_t)options->delimiter};
  n.quoting = options->quote != (char)-1;
  n.quote = options->quote ? (uint8_t)options->quote : '"';
  n.field = malloc((size_t)file_size + 1);
  int32_t columns = table->schema.count, c;
  int64_t rows = 0;
  if (file_size >= 3 && memcmp(n.at, "\xef\xbb\xbf", 3) == 0) n.at += 3;
  for (bool heading = !options->no_header; n.at < n.end; heading = false) {
    if (!heading && columns > 1 && is_last_blank(&n)) break;
    for (c = 0, n.last = false; !n.last; c++) {
      read_field(&n);
      if (!heading && c < columns) check_cell(table, rows, c, is_null_text(&n, options->nulls), n.field, n.size);
    }
    CHECK(c == columns || (options->ragged && !heading));
    for (; !heading && c < columns; c++) check_cell(table, rows, c, true, NULL, 0);
    rows += !heading;
  }
  CHECK(rows == table->rows);
  free(n.field);
}

/* ---- From memory, and as lines ---- */

/* The same options over a block of memory end in the same way, with the same rows. */
static void check_blocks(const how *options, int status, const mm_table *table) {
  how again = *options;
  mm_table twin = {0};
  mm_block *block = mm_block_foreign(file_bytes, file_size, NULL, NULL, NULL);
  CHECK(block);
  again.blocks = &block;
  CHECK(read_all(&again, MM_BINARY, 192, &twin) == status);
  if (status >= 0) {
    CHECK(twin.rows == table->rows && twin.schema.count == table->schema.count);
    for (int64_t row = 0; row < table->rows; row++)
      for (int32_t c = 0; c < table->schema.count; c++) {
        int64_t at = row;
        const mm_column *column = column_of(table, c, &at);
        const uint8_t *text = column->data;
        int32_t from = column->offsets[at], size = column->offsets[at + 1] - from;
        check_cell(&twin, row, c, column_is_null(column, at), text ? text + from : text, size);
      }
  }
  mm_table_free(&twin);
  mm_block_release(block);
}

static void check_lines(int32_t chunk) {
  how options = {.lines = true, .chunk = chunk};
  mm_table table = {0};
  if (read_all(&options, MM_BINARY, 64, &table) >= 0 && !is_zstd(file_bytes, file_size)) {
    int64_t rows = 0, at = file_size >= 3 && memcmp(file_bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (; at < file_size; rows++) {
      const uint8_t *newline = memchr(file_bytes + at, '\n', (size_t)(file_size - at));
      int64_t end = newline ? newline - file_bytes : file_size, size = end - at;
      if (size && file_bytes[end - 1] == '\r') size--;
      check_cell(&table, rows, 0, false, file_bytes + at, size);
      at = end + 1;
    }
    CHECK(rows == table.rows);
  }
  mm_table_free(&table);
}

/* ---- Long rows ---- */

enum { MOST = 200000, FIRST = 4000 };

/* The bytes, with a part of them repeated: from where bits 4 to 7 of `how` say, in sixteenths of the whole, some bytes
 * on, as often as makes about 2^(bits 0 to 3) * 13 bytes. The first line stays short: each of its fields is a column,
 * which takes memory for all of a row. */
static void blow_up(uint8_t how, const uint8_t *bytes, size_t size) {
  static uint8_t blown[MOST + (1 << 17)];
  size_t from = size * (how >> 4) / 16, width = 1 + (how >> 4), to = from + width < size ? from + width : size;
  size_t wanted = (how & 15) < 2 ? 0 : (size_t)13 << (how & 15), at = from;
  file_bytes = bytes;
  file_size = (int64_t)size;
  size_t most = memchr(bytes, '\n', from) ? MOST : FIRST;
  if (wanted > most) wanted = most;
  if (!wanted || from == to || size > 1 << 16) return;
  memcpy(blown, bytes, from);
  for (; at < from + wanted; at += to - from) memcpy(blown + at, bytes + from, to - from);
  memcpy(blown + at, bytes + to, size - to);
  file_bytes = blown;
  file_size = (int64_t)(at + size - to);
}

/* The ends of the options' ranges, where the result may be any but a crash. */
static void check_ends(uint8_t byte) {
  static const int32_t ends[] = {0, 1, -1, INT32_MAX, INT32_MIN, 63, 64, 65};
  how options = {.delimiter = (char)byte,
                 .quote = (char)(byte * 7),
                 .ragged = byte & 1,
                 .no_header = byte >> 1 & 1,
                 .lines = byte >> 2 & 1,
                 .nulls = byte & 8 ? "" : NULL,
                 .sample_rows = ends[byte >> 4 & 7],
                 .chunk = ends[(byte >> 5) + 1 & 7]};
  mm_table table = {0};
  read_all(&options, MM_NULL, 64, &table);
  mm_table_free(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const char delimiters[] = {',', ';', '\t', ' ', ',', ',', ',', 'a'}, quotes[] = {0, '\'', (char)-1, 0};
  if (size < 3) return 0;
  mm_set_io(&one_file);
  blow_up(bytes[2], bytes + 3, size - 3);
  how options = {.delimiter = delimiters[bytes[0] & 7],
                 .quote = quotes[bytes[0] >> 3 & 3],
                 .no_header = bytes[0] >> 5 & 1,
                 .ragged = bytes[0] >> 6 & 1,
                 .nulls = bytes[0] >> 7 ? "NA" : NULL,
                 .chunk = (file_size > 4096 ? 4096 : 1) * (bytes[1] % 70), /* else it takes for ever */
                 .sample_rows = 1 + (bytes[1] >> 4)};
  mm_table inferred = {0}, text = {0};
  read_all(&options, MM_NULL, 64, &inferred);
  mm_table_free(&inferred);
  int status = read_all(&options, MM_BINARY, 64, &text);
  if (status >= 0 && !is_zstd(file_bytes, file_size)) compare(&options, &text);
  check_blocks(&options, status, &text);
  mm_table_free(&text);
  check_lines(options.chunk);
  if (bytes[1] >= 250) check_ends(bytes[0]);
  mm_set_io(NULL);
  return 0;
}
