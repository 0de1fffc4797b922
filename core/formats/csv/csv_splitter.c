/* csv_splitter.c - from the bytes of files to chunks of exactly MM_MORSEL rows (the last one: what is left).
 *
 * DESIGN. Bytes are read right behind the text of the chunk in the making and scanned at once. When the wanted rows
 * are complete, what was read beyond them moves to the next chunk. A chunk may hold rows of several files, each a
 * span. What goes wrong (a misplaced quote, a file that cannot be read) ends the last chunk: its rows come first.
 *
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_splitter.h"
#include "base/alloc.h"
#include "base/error.h"
#include <stdio.h>
#include <string.h>

enum { SNIFF = 4096, FIRST_CAPACITY = 8 << 20, SMALL = 1 << 20 };

static csv_span *last_span(const csv_splitter *c) { return &c->chunk->spans[c->chunk->span_count - 1]; }

/* ---- Chunks ---- */

/* A block for `capacity` bytes of text, with margins; the first one holds nothing secret. */
static mm_block *text_block(int64_t capacity, mm_error *error) {
  mm_block *block = mm_block_new(capacity + 2 * CSV_MARGIN, error);
  if (block) memset(mm_block_data(block), 0, CSV_MARGIN);
  return block;
}

/* Make room for more text. */
static int reserve_text(csv_splitter *c, int64_t extra, mm_error *error) {
  if (c->size + extra <= c->capacity) return 0;
  int64_t capacity = 2 * c->capacity > c->size + extra ? 2 * c->capacity : c->size + extra;
  mm_block *block = text_block(capacity, error);
  if (!block) return MM_ENOMEM;
  uint8_t *text = mm_block_data(block) + CSV_MARGIN;
  memcpy(text, c->chunk->text, (size_t)c->size);
  mm_block_release(c->chunk->block);
  c->chunk->block = block;
  c->chunk->text = text;
  c->capacity = capacity;
  return 0;
}

/* An empty chunk in c->chunk. */
static int begin_chunk(csv_splitter *c, int64_t extra, mm_error *error) {
  csv_chunk *chunk = memory_allocate_zero(sizeof *chunk);
  if (!chunk) return error_fail_memory(error, sizeof *chunk);
  int64_t capacity = c->guess + extra;
  chunk->block = text_block(capacity, error);
  if (!chunk->block) {
    csv_chunk_free(chunk);
    return MM_ENOMEM;
  }
  chunk->text = mm_block_data(chunk->block) + CSV_MARGIN;
  c->chunk = chunk;
  c->capacity = capacity;
  c->size = 0;
  return 0;
}

static void expect_rows(csv_splitter *c, int64_t at, int64_t rows, int64_t want) {
  c->scan = (csv_row_scan){.at = at, .row_start = at, .rows = rows, .want = want, .bad = -1, .after = SCAN_SEPARATOR};
}

/* The span in the making ends at the last complete row. */
static void end_span(csv_splitter *c) {
  if (!c->chunk->span_count || !c->open || c->heading) return;
  csv_span *span = last_span(c);
  span->end = c->scan.row_start;
  span->rows = c->scan.rows - span->first;
  span->quotes = c->scan.quotes;
  c->chunk->rows = c->scan.rows;
  if (span->rows == 0) c->chunk->span_count--;
}

/* The chunk is full: start the next with what was read beyond its rows. */
static int carry_rest(csv_splitter *c, mm_error *error) {
  csv_chunk *full = c->chunk;
  csv_span next = *last_span(c);
  int64_t from = c->scan.at, left = c->size - from;
  next.line += c->scan.rows - next.first + c->scan.inner;
  end_span(c);
  c->guess = from + from / 8 + 2 * c->files->reading.read_size;
  c->chunk = NULL;
  int status = begin_chunk(c, left, error);
  if (status >= 0) {
    memcpy(c->chunk->text, full->text + from, (size_t)left);
    c->size = left;
    next.begin = next.first = 0;
    status = csv_chunk_add_span(c->chunk, next, error);
    expect_rows(c, 0, 0, MM_MORSEL);
  }
  if (status >= 0) return 0;
  csv_chunk_free(c->chunk);
  c->chunk = full; /* its failure */
  return status;
}

/* ---- Files ---- */

/* Read a chunk: bytes, 0 at the end of the file, or a status. */
static int64_t read_more(csv_splitter *c, mm_error *error) {
  int64_t most = c->files->reading.read_size;
  TRY(reserve_text(c, most + 1, error)); /* one for a last line feed */
  int64_t got = mm_files_read(c->files, c->chunk->text + c->size, most, error);
  if (got > 0) c->size += got;
  return got;
}

static int fail_file(csv_splitter *c, int code, const char *id, const char *message, mm_error *error) {
  error_fail(error, code, id, "%s", message);
  return error_set_file(error, code, mm_files_path(c->files, -1));
}

/* Read the beginning of a file: what is it, and where does its text start? */
static int begin_text(csv_splitter *c, mm_error *error) {
  int64_t begin = c->size, got = 1;
  while (c->size - begin < SNIFF && got > 0) got = read_more(c, error);
  if (got < 0 && c->size == begin) return (int)got; /* else what there is comes first: a reader repeats its failure */
  const uint8_t *text = c->chunk->text + begin;
  int64_t size = c->size - begin < SNIFF ? c->size - begin : SNIFF;
  const char *format = csv_foreign_content(text, size);
  if (format) {
    char message[64];
    snprintf(message, sizeof message, "the file is %s, expected CSV", format);
    return fail_file(c, MM_EDATA, "wrong-format", message, error);
  }
  if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) begin += 3;
  if (!c->dialect.delimiter)
    c->dialect.delimiter = (uint8_t)csv_guess_delimiter(mm_files_path(c->files, -1), text, size,
                                                        c->dialect.quoting ? c->dialect.quote : -1);
  csv_span span = {.file = c->files->opened - 1, .begin = begin, .first = c->chunk->rows, .line = 1};
  TRY(csv_chunk_add_span(c->chunk, span, error));
  c->heading = !c->dialect.no_header || !c->names.count;
  expect_rows(c, begin, c->heading ? 0 : c->chunk->rows, c->heading ? 1 : MM_MORSEL);
  return 0;
}

static int open_next(csv_splitter *c, mm_error *error) {
  TRY(mm_files_next(c->files, error));
  c->open = true;
  return begin_text(c, error);
}

/* Where the columns of the first file stand among `names`: NULL when all are at their positions. */
static int match_names(csv_splitter *c, const csv_header *names, int32_t **positions, mm_error *error) {
  const csv_header *first = &c->names;
  bool same = first->count == names->count;
  for (int32_t i = 0; i < first->count && same; i++) same = strcmp(first->names[i], names->names[i]) == 0;
  if (same) return 0;
  const char *missing = NULL, *verb = "is missing, which the first file has";
  int32_t *found = memory_allocate(first->count * (int64_t)sizeof *found);
  if (!found) return error_fail_memory(error, first->count * (int64_t)sizeof *found);
  for (int32_t i = 0; i < first->count && !missing; i++)
    if ((found[i] = csv_header_find(names, first->names[i])) < 0) missing = first->names[i];
  for (int32_t i = 0; i < names->count && !missing; i++)
    if (csv_header_find(first, names->names[i]) < 0) {
      missing = names->names[i];
      verb = "is not in the first file";
    }
  if (!missing) {
    *positions = found;
    return 0;
  }
  memory_release(found, first->count * (int64_t)sizeof *found);
  error_fail(error, MM_EDATA, "header-differs", "column \"%.100s\" %s", missing, verb);
  if (error) error->line = 1;
  return MM_EDATA;
}

/* The first row is complete: take the names, and begin the rows behind it, or with it. */
static int take_header(csv_splitter *c, mm_error *error) {
  csv_span *span = last_span(c);
  const uint8_t *line = c->chunk->text + span->begin;
  int64_t end = c->scan.row_start;
  csv_header names = {0};
  int status = csv_header_parse(&names, &c->dialect, line, end - span->begin, error);
  if (status >= 0 && c->names.count) {
    status = match_names(c, &names, &c->positions[span->file], error);
    span->positions = c->positions[span->file];
    csv_header_free(&names);
  } else if (status >= 0) {
    c->names = names;
  } else {
    csv_header_free(&names);
    if (error) error->line = 1;
  }
  if (status < 0) return error_set_file(error, status, mm_files_path(c->files, span->file));
  if (!c->dialect.no_header) {
    span->line += 1 + c->scan.inner;
    span->begin = end;
  }
  c->heading = false;
  expect_rows(c, span->begin, c->chunk->rows, MM_MORSEL);
  return 0;
}

/* ---- Rows ---- */

/* Where the quote that is still open was opened. */
static int64_t open_quote(const csv_splitter *c) {
  const uint8_t *text = c->chunk->text;
  int64_t opened = -1, closed = -1;
  bool inside = false;
  for (int64_t i = c->scan.row_start; i < c->size; i++) {
    if (text[i] != c->dialect.quote) continue;
    if (inside) closed = i;
    else if (closed < 0 || closed != i - 1) opened = i;
    inside = !inside;
  }
  return opened;
}

static int fail_at(csv_splitter *c, int64_t position, int code, const char *id, const char *message, mm_error *error) {
  error_fail(error, code, id, "%s", message);
  csv_locate(mm_files_path(c->files, last_span(c)->file), c->chunk, last_span(c), position, error);
  return code;
}

static int fail_bad_quote(csv_splitter *c, mm_error *error) {
  bool quote = c->chunk->text[c->scan.bad] == c->dialect.quote;
  int status = fail_at(
      c, c->scan.bad, MM_EDATA, "bad-quote",
      quote ? "a quote within a field that does not begin with one" : "text after the closing quote of a field", error);
  if (error && quote) snprintf(error->hint, sizeof error->hint, "put the field in quotes and double those inside");
  return status;
}

static int fail_long_row(csv_splitter *c, mm_error *error) {
  if (!c->scan.inside)
    return fail_at(c, c->scan.row_start, MM_ELIMIT, "row-too-long", "the row is longer than 64 MiB", error);
  return fail_at(c, open_quote(c), MM_ELIMIT, "row-too-long",
                 "the row is longer than 64 MiB: the quote opened here is not closed in it", error);
}

/* The last row is an empty line, which is no row where rows have several fields. */
static bool ends_blank(const csv_splitter *c) {
  const uint8_t *text = c->chunk->text;
  const csv_span *span = last_span(c);
  int64_t end = c->scan.row_start - 1;
  if (c->heading || c->names.count < 2 || c->scan.rows == span->first) return false;
  if (end > span->begin && text[end - 1] == '\r') end--;
  return end == span->begin || text[end - 1] == '\n';
}

static void drop_blank(csv_splitter *c) {
  c->scan.row_start -= 1 + (c->scan.row_start > 1 && c->chunk->text[c->scan.row_start - 2] == '\r');
  c->scan.rows--;
}

/* Nothing more to read: 1 when a last row without a line feed was completed, 0 when the file is done. */
static int end_file(csv_splitter *c, mm_error *error) {
  if (c->scan.inside)
    return fail_at(c, open_quote(c), MM_EDATA, "unclosed-quote",
                   "the quote opened here is not closed before the end of the file", error);
  if (c->size > c->scan.row_start) {
    c->chunk->text[c->size++] = '\n';
    return 1;
  }
  if (c->heading) return fail_file(c, MM_EDATA, "empty-file", "the file is empty: it has no header", error);
  if (ends_blank(c)) drop_blank(c);
  end_span(c);
  input_files_close(c->files);
  c->open = false;
  return 0;
}

/* All wanted rows are there: 1 when the chunk is full. An empty line at its end may be the end of the file. */
static int full(csv_splitter *c, mm_error *error) {
  if (ends_blank(c) && c->scan.at == c->size) {
    int64_t got = read_more(c, error);
    if (got < 0) return (int)got;
    if (got == 0) {
      int status = end_file(c, error);
      return status < 0 ? status : 0;
    }
  }
  TRY(carry_rest(c, error));
  return 1;
}

/* One step: 1 the chunk is full, 0 go on, or a status. */
static int step_splitter(csv_splitter *c, mm_error *error) {
  if (!c->open) return open_next(c, error);
  if (c->scan.at < c->size && csv_scanner_get()->rows(&c->scan, &c->dialect, c->chunk->text, c->size)) {
    if (c->scan.bad >= 0) return fail_bad_quote(c, error);
    return c->heading ? take_header(c, error) : full(c, error);
  }
  if (c->size - c->scan.row_start > CSV_ROW_LIMIT) return fail_long_row(c, error);
  int64_t got = read_more(c, error);
  if (got < 0) return (int)got;
  if (got == 0) TRY(end_file(c, error));
  return 0;
}

int csv_splitter_next(csv_splitter *c, csv_chunk **chunk, mm_error *error) {
  mm_error failure = {.row = -1, .place = -1, .stage = -1};
  int status = 0;
  if (c->done) return 0;
  if (!c->chunk) TRY(begin_chunk(c, 0, error));
  csv_chunk *made = c->chunk; /* still c->chunk unless it is full */
  while (status == 0 && (c->open || input_files_left(c->files))) status = step_splitter(c, &failure);
  if (status < 0) {
    end_span(c);
    made->failure = failure;
    made->failure.code = status;
  }
  if (status <= 0) {
    c->chunk = NULL;
    c->done = true;
  }
  if (status == 0 && made->rows == 0) {
    csv_chunk_free(made);
    return 0;
  }
  *chunk = made;
  return 1;
}

/* ---- The splitter ---- */

int csv_splitter_init(csv_splitter *c, mm_files *files, mm_error *error) {
  int64_t size = files->count * (int64_t)sizeof *c->positions;
  c->files = files;
  c->guess = files->bytes_total >= 0 && files->bytes_total < SMALL ? files->bytes_total + 2 * files->reading.read_size
                                                                   : FIRST_CAPACITY;
  return (c->positions = memory_allocate_zero(size)) ? 0 : error_fail_memory(error, size);
}

void csv_splitter_free(csv_splitter *c) {
  csv_chunk_free(c->chunk);
  for (int32_t i = 0; c->positions && i < c->files->count; i++)
    memory_release(c->positions[i], c->names.count * (int64_t)sizeof **c->positions);
  if (c->positions) memory_release(c->positions, c->files->count * (int64_t)sizeof *c->positions);
  csv_header_free(&c->names);
}
