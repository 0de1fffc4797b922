/* csv_parser.c - batches of the wanted columns out of a chunk.
 *
 * DESIGN. Strip by block, and column by column within a block: fields, then nulls, then values. A column that finds a
 * bad field shortens the block for the columns after it, so that the lowest row's failure remains, the first column's
 * where rows are equal.
 *
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_parser.h"
#include "base/alloc.h"
#include "base/bitmap.h"
#include "base/block.h"
#include "base/error.h"
#include "text/float.h"
#include "text/integer.h"
#include "types/type.h"
#include <stdio.h>
#include <string.h>

enum { BATCH_BYTES = 1 << 30, COPY = 16 };

struct csv_parser {
  const csv_splitter *splitter;
  const mm_schema *schema;
  const int32_t *columns; /* of the first file */
  csv_blocks blocks;
  csv_field *fields;
  mm_buffer *texts; /* of text columns, in the making */
  int64_t *nulls;   /* of each column, so far */
};

/* What is wrong in a block. */
typedef struct fault {
  int64_t row;    /* of the block; without a fault: all its rows */
  const char *id; /* NULL: nothing */
  int32_t column;
  csv_field field;
} fault;

int csv_parser_new(const csv_splitter *splitter, const mm_schema *schema, const int32_t *columns, csv_parser **result,
                   mm_error *error) {
  csv_parser *l = memory_allocate_zero(sizeof *l);
  if (!l) return error_fail_memory(error, sizeof *l);
  l->splitter = splitter;
  l->schema = schema;
  l->columns = columns;
  int status = csv_blocks_init(&l->blocks, splitter, error);
  if (status >= 0) {
    l->fields = memory_allocate(l->blocks.room * (int64_t)sizeof *l->fields);
    l->texts = memory_allocate_zero(schema->count * (int64_t)sizeof *l->texts);
    l->nulls = memory_allocate_zero(schema->count * (int64_t)sizeof *l->nulls);
    if (!l->fields || !l->texts || !l->nulls)
      status = error_fail_memory(error, l->blocks.room * (int64_t)sizeof *l->fields);
  }
  if (status < 0) csv_parser_free(l);
  else *result = l;
  return status;
}

void csv_parser_free(csv_parser *l) {
  if (!l) return;
  int64_t count = l->schema->count;
  for (int64_t i = 0; i < count && l->texts; i++) mm_buffer_free(&l->texts[i]);
  memory_release(l->texts, count * (int64_t)sizeof *l->texts);
  memory_release(l->nulls, count * (int64_t)sizeof *l->nulls);
  memory_release(l->fields, l->blocks.room * (int64_t)sizeof *l->fields);
  csv_blocks_free(&l->blocks);
  memory_release(l, sizeof *l);
}

/* ---- Failures ---- */

static int64_t field_start(const csv_block *block, int32_t place, int64_t row) {
  return block->field_ends[row * block->stride + place] + UINT32_C(1);
}

static bool is_number(int id) { return id >= MM_I8 && id <= MM_F64; }

static void say_bad_value(const mm_field *field, const char *text, int64_t size, mm_error *error) {
  char type[100], value[sizeof error->value];
  double number;
  int64_t whole;
  error_copy_text(value, sizeof value, text, size);
  mm_type_name(field->type, type, sizeof type);
  bool integer = is_number(field->type.id) && !type_is_float(field->type.id);
  int parsed = parse_f64(text, size, &number);
  if (integer && parse_i64(text, size, &whole) != 1)
    error_fail(error, MM_EDATA, "bad-number", "%s: %s does not fit %s", field->name, value, type);
  else
    error_fail(error, MM_EDATA, is_number(field->type.id) ? "bad-number" : "bad-value", "%s: expected %s, found \"%s\"",
               field->name, type, value);
  bool fits = integer && parse_i64(text, size, &whole) == 0;
  const char *better = fits ? "i64" : integer && parsed == 0 ? "f64" : "utf8";
  snprintf(error->hint, sizeof error->hint, "declare it in input: \"%.100s: %s%s\"", field->name, better,
           field->nullable ? "?" : "");
}

static void describe_fault(const mm_field *field, const fault *f, const uint8_t *text, mm_error *error) {
  const char *bytes = (const char *)text + (f->field.at & FIELD_AT);
  if (strcmp(f->id, "null-value") == 0) {
    error_fail(error, MM_EDATA, f->id, "%s: an empty field, and the column is declared without nulls", field->name);
    snprintf(error->hint, sizeof error->hint, "declare it in input: \"%.100s: %s?\"", field->name,
             mm_type_name(field->type, (char[100]){0}, 100));
  } else if (strcmp(f->id, "field-too-long") == 0) {
    error_fail(error, MM_ELIMIT, f->id, "%s: a field of %d bytes, the limit is 16 MiB", field->name, f->field.size);
  } else if (strcmp(f->id, "bad-utf8") == 0) {
    error_fail(error, MM_EDATA, f->id, "%s: the text is not UTF-8", field->name);
    snprintf(error->hint, sizeof error->hint, "declare it in input: \"%.100s: binary\"", field->name);
  } else if (strcmp(f->id, "lone-cr") == 0) {
    error_fail(error, MM_EDATA, f->id, "%s: a carriage return without a line feed, outside quotes", field->name);
  } else {
    say_bad_value(field, bytes, f->field.size, error);
  }
  error_copy_text(error->field, sizeof error->field, field->name, (int64_t)strlen(field->name));
  error_copy_text(error->value, sizeof error->value, bytes, f->field.size);
}

static int fail_value(const csv_parser *l, const csv_chunk *chunk, const csv_block *block, const fault *f, int64_t row,
                      mm_error *error) {
  mm_error ignored;
  if (!error) error = &ignored;
  int32_t place = block->span->positions ? block->span->positions[l->columns[f->column]] : l->columns[f->column];
  describe_fault(&l->schema->fields[f->column], f, block->text, error);
  if (l->splitter->dialect.lines) snprintf(error->hint, sizeof error->hint, "%s", "convert it, for example with iconv");
  csv_locate(mm_files_path(l->splitter->files, block->span->file), chunk, block->span,
             block->text - chunk->text + field_start(block, place, f->row), error);
  error->row = row;
  return error->code;
}

int csv_fail_ragged(const csv_splitter *splitter, const csv_chunk *chunk, const csv_block *block, int64_t row,
                    mm_error *error) {
  const uint8_t *at = block->text + block->bad_at;
  if (*at == '\n' || (*at == '\r' && at[1] == '\n'))
    error_fail(error, MM_EDATA, "ragged-row", "an empty line, expected %d fields", splitter->names.count);
  else
    error_fail(error, MM_EDATA, "ragged-row", "the row has %lld field%s, expected %d", (long long)block->bad_fields,
               block->bad_fields == 1 ? "" : "s", splitter->names.count);
  csv_locate(mm_files_path(splitter->files, block->span->file), chunk, block->span, at - chunk->text, error);
  if (!error) return MM_EDATA;
  error->row = row;
  error->column = 0;
  return MM_EDATA;
}

void csv_locate_row(const csv_splitter *splitter, const csv_chunk *chunk, int64_t row, mm_error *error) {
  for (int32_t i = 0; i < chunk->span_count; i++) {
    const csv_span *span = &chunk->spans[i];
    if (row < span->first || row >= span->first + span->rows) continue;
    csv_row_scan scan = {
        .at = span->begin, .row_start = span->begin, .want = row - span->first, .bad = -1, .after = SCAN_SEPARATOR};
    if (scan.want > 0) csv_scanner_get()->rows(&scan, &splitter->dialect, chunk->text, span->end);
    int64_t column = error->column;
    csv_locate(mm_files_path(splitter->files, span->file), chunk, span, scan.row_start, error);
    error->column = column;
    return;
  }
}

/* ---- Columns ---- */

static int make_column(csv_parser *l, int32_t i, mm_column *column, int64_t rows, mm_error *error) {
  const mm_field *field = &l->schema->fields[i];
  bool text = type_is_text(field->type.id);
  column->type = field->type;
  if (text) {
    mm_buffer *buffer = &l->texts[i];
    buffer->size = 0;
    column->offsets_block = mm_block_new((rows + 1) * 4, error);
    if (!column->offsets_block) return MM_ENOMEM;
    *(int32_t *)(void *)mm_block_data(column->offsets_block) = 0;
  } else if (field->type.id != MM_NULL) {
    int64_t width = mm_type_width(field->type);
    column->data_block = width ? mm_block_new(rows * width, error) : block_new_zero(bit_words(rows) * 8, error);
    if (!column->data_block) return MM_ENOMEM;
  }
  if (field->nullable && field->type.id != MM_NULL) {
    column->valid_block = block_new_zero(bit_words(rows) * 8, error);
    if (!column->valid_block) return MM_ENOMEM;
  }
  l->nulls[i] = 0;
  return 0;
}

static int finish_column(csv_parser *l, int32_t i, mm_column *column, int64_t rows, mm_error *error) {
  column->length = rows;
  if (type_is_text(column->type.id)) {
    int64_t size = l->texts[i].size;
    column->data_block = mm_block_take(&l->texts[i], error);
    if (!column->data_block) return MM_ENOMEM;
    TRY(mm_buffer_reserve(&l->texts[i], size + size / 8, error)); /* the next batch is likely as big */
    column->offsets = (const int32_t *)(const void *)mm_block_data(column->offsets_block);
  }
  if (column->data_block) column->data = mm_block_data(column->data_block);
  if (!l->nulls[i]) {
    mm_block_release(column->valid_block);
    column->valid_block = NULL;
  } else if (column->valid_block) {
    column->valid = (const uint64_t *)(const void *)mm_block_data(column->valid_block);
  }
  return 0;
}

static void blame(fault *f, int64_t row, const char *id, int32_t column, const csv_field *fields) {
  if (row >= f->row) return;
  *f = (fault){.row = row, .id = id, .column = column, .field = fields[row]};
}

/* Validity of the block's rows from row `at` of the batch on; a null where none may be is a fault. */
static void note_nulls(csv_parser *l, int32_t i, mm_column *column, int64_t at, fault *f) {
  const csv_field *fields = l->fields;
  uint64_t *valid = column->valid_block ? (uint64_t *)(void *)mm_block_data(column->valid_block) : NULL;
  bool must = !valid && column->type.id != MM_NULL;
  for (int64_t r = 0; r < f->row; r += 64) {
    int64_t n = f->row - r < 64 ? f->row - r : 64;
    uint64_t word = 0;
    for (int64_t k = 0; k < n; k++) word |= (uint64_t)!csv_field_is_null(fields[r + k]) << k;
    int64_t nulls = n - __builtin_popcountll(word);
    l->nulls[i] += nulls;
    if (valid) bits_put(valid, at + r, &word, n);
    else if (nulls && must) blame(f, r + __builtin_ctzll(~word), "null-value", i, fields);
  }
}

/* ---- Text ---- */

static int64_t copy_unescaped(uint8_t *to, const uint8_t *from, int64_t size, uint8_t quote) {
  int64_t n = 0;
  for (int64_t i = 0; i < size; i++) {
    to[n++] = from[i];
    i += from[i] == quote; /* its double */
  }
  return n;
}

/* Bytes of the block's fields behind those of the column; 1 GiB of room is never passed. */
static void copy_fields(const csv_parser *l, const csv_block *block, mm_buffer *buffer, int32_t *offsets,
                        int64_t rows) {
  const uint8_t *text = block->text;
  uint8_t *data = buffer->data, quote = l->splitter->dialect.quote;
  int64_t size = buffer->size;
  for (int64_t r = 0; r < rows; r++) {
    csv_field field = l->fields[r];
    const uint8_t *from = text + (field.at & FIELD_AT);
    if (field.at & FIELD_ESCAPED) {
      size += copy_unescaped(data + size, from, field.size, quote);
    } else {
      if (field.size <= COPY) memcpy(data + size, from, COPY); /* short ones: no call, no branch on the size */
      else memcpy(data + size, from, (size_t)field.size);
      size += field.size;
    }
    offsets[r + 1] = (int32_t)size;
  }
  buffer->size = size;
}

/* What is no UTF-8, and carriage returns outside quotes; `bytes` are those of the fields, one after the other. */
static void check_text(const csv_parser *l, int32_t i, const csv_block *block, const uint8_t *bytes, int64_t size,
                       fault *f) {
  int traits = csv_scanner_get()->traits(bytes, size);
  bool utf8 = l->schema->fields[i].type.id == MM_UTF8, suspect = false;
  if (utf8 && traits & 1) {
    /* All are valid when the whole is and none begins within a character. */
    suspect = mm_utf8_invalid(bytes, size) >= 0;
    for (int64_t r = 0; r < f->row && !suspect; r++)
      suspect = l->fields[r].size > 0 && (block->text[l->fields[r].at & FIELD_AT] & 0xc0) == 0x80;
  }
  if (!suspect && !(traits & 2)) return;
  for (int64_t r = 0; r < f->row; r++) {
    csv_field field = l->fields[r];
    const uint8_t *at = block->text + (field.at & FIELD_AT);
    if (suspect && mm_utf8_invalid(at, field.size) >= 0) blame(f, r, "bad-utf8", i, l->fields);
    else if (l->splitter->dialect.quoting && !(field.at & FIELD_QUOTED) && memchr(at, '\r', (size_t)field.size))
      blame(f, r, "lone-cr", i, l->fields);
  }
}

static int load_text(csv_parser *l, int32_t i, const csv_block *block, mm_column *column, int64_t at, fault *f,
                     mm_error *error) {
  mm_buffer *buffer = &l->texts[i];
  int32_t *offsets = (int32_t *)(void *)mm_block_data(column->offsets_block);
  if (block->size > CSV_FIELD_LIMIT)
    for (int64_t r = 0; r < f->row; r++)
      if (l->fields[r].size > CSV_FIELD_LIMIT) blame(f, r, "field-too-long", i, l->fields);
  TRY(mm_buffer_reserve(buffer, block->size + 2 * CSV_MARGIN, error));
  int64_t before = buffer->size;
  copy_fields(l, block, buffer, offsets + at, f->row);
  check_text(l, i, block, buffer->data + before, buffer->size - before, f);
  return 0;
}

/* ---- Strips and batches ---- */

static int load_block(csv_parser *l, const csv_block *block, mm_batch *out, int64_t at, fault *f, mm_error *error) {
  const csv_header *names = &l->splitter->names;
  *f = (fault){.row = block->rows};
  for (int32_t i = 0; i < out->count; i++) {
    mm_column *column = &out->columns[i];
    int32_t place = block->span->positions ? block->span->positions[l->columns[i]] : l->columns[i];
    csv_block_fields(&l->splitter->dialect, block, place, names->count, l->fields);
    note_nulls(l, i, column, at, f);
    if (type_is_text(column->type.id)) {
      TRY(load_text(l, i, block, column, at, f, error));
      continue;
    }
    void *data = column->data_block ? mm_block_data(column->data_block) : NULL;
    int64_t read = csv_field_parser_of(column->type)(block->text, l->fields, f->row, column->type, data, at);
    blame(f, read, "bad-value", i, l->fields);
  }
  return 0;
}

/* Text of a batch must stay within 32-bit offsets. */
static bool is_big(const csv_parser *l) {
  for (int32_t i = 0; i < l->schema->count; i++)
    if (l->texts[i].size > BATCH_BYTES) return true;
  return false;
}

static int load_rows(csv_parser *l, const csv_chunk *chunk, csv_cursor *cursor, int64_t rows, mm_batch *out,
                     mm_error *error) {
  csv_block block;
  fault f;
  while (out->length < rows && !is_big(l) && csv_blocks_next(&l->blocks, chunk, cursor, rows - out->length, &block)) {
    TRY(load_block(l, &block, out, out->length, &f, error));
    out->length += f.row;
    if (f.id) return fail_value(l, chunk, &block, &f, out->length, error);
    if (block.bad_at >= 0) return csv_fail_ragged(l->splitter, chunk, &block, out->length, error);
  }
  return 1;
}

int csv_parser_load(csv_parser *l, const csv_chunk *chunk, csv_cursor *cursor, int64_t rows, mm_batch *out,
                    mm_error *error) {
  int64_t left = chunk->rows - cursor->row;
  if (left <= 0) {
    if (chunk->failure.code && error) {
      *error = chunk->failure;
      error->row = chunk->failure.line > 0 ? 0 : -1; /* else it is about the file as a whole */
    }
    return chunk->failure.code;
  }
  if (rows > left) rows = left;
  TRY(mm_batch_resize(out, l->schema->count, error));
  for (int32_t i = 0; i < out->count; i++) TRY(make_column(l, i, &out->columns[i], rows, error));
  int status = load_rows(l, chunk, cursor, rows, out, error);
  for (int32_t i = 0; i < out->count; i++) {
    int finished = finish_column(l, i, &out->columns[i], out->length, error);
    if (finished < 0) {
      mm_batch_resize(out, 0, NULL);
      return finished;
    }
  }
  return status;
}
