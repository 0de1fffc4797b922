/* csv_infer.c - the types of columns out of a sample of rows.
 *
 * DESIGN. A column starts with every type it may have; each value takes away those it does not fit. What is left
 * decides, the narrowest first; nothing left is text. Digits that would be lost or changed by a number make text:
 * leading zeros, a plus sign, integers beyond i64. Only whole rows count: the sample ends before a ragged one. Any
 * column may have nulls in later rows; which had some in the sample is noted beside its type.
 *
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_infer.h"
#include "base/alloc.h"
#include "base/error.h"
#include "formats/csv/csv_parser.h"
#include "text/datetime.h"
#include "text/float.h"
#include "text/integer.h"

enum {
  MAYBE_I64 = 1,
  MAYBE_F64 = 2,
  MAYBE_BOOL = 4,
  MAYBE_DATE = 8,
  MAYBE_TIMESTAMP = 16,
  MAYBE_ALL = 31,
  SEEN = 32,
  NULLS = 64
};

static bool plain_number(const char *text, int64_t size) {
  if (size > 0 && *text == '-') text++, size--;
  if (size == 0 || *text == '+') return false;
  return !(size > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9');
}

static int fitting(const char *text, int64_t size, int maybe) {
  int64_t i;
  double f;
  bool b;
  int32_t days;
  int fits = 0;
  if (maybe & (MAYBE_I64 | MAYBE_F64) && plain_number(text, size)) {
    int integer = parse_i64(text, size, &i);
    if (integer == 0) fits |= MAYBE_I64 | MAYBE_F64;
    else if (integer == 1 && parse_f64(text, size, &f) == 0) fits |= MAYBE_F64;
  }
  if (maybe & MAYBE_BOOL && parse_bool(text, size, &b) == 0) fits |= MAYBE_BOOL;
  if (maybe & MAYBE_DATE && parse_date(text, size, &days) == 0) fits |= MAYBE_DATE;
  if (maybe & MAYBE_TIMESTAMP && parse_timestamp(text, size, MM_MICROS, &i) == 0) fits |= MAYBE_TIMESTAMP;
  return fits;
}

static mm_type decide_type(int maybe) {
  if (!(maybe & SEEN)) return (mm_type){.id = MM_UTF8};
  if (maybe & MAYBE_I64) return (mm_type){.id = MM_I64};
  if (maybe & MAYBE_F64) return (mm_type){.id = MM_F64};
  if (maybe & MAYBE_BOOL) return (mm_type){.id = MM_BOOL};
  if (maybe & MAYBE_DATE) return (mm_type){.id = MM_DATE};
  if (maybe & MAYBE_TIMESTAMP) return (mm_type){.id = MM_TIMESTAMP, .unit = MM_MICROS};
  return (mm_type){.id = MM_UTF8};
}

static void narrow(int *maybe, const csv_block *block, const csv_field *fields) {
  for (int64_t r = 0; r < block->rows; r++) {
    if (csv_field_is_null(fields[r])) {
      *maybe |= NULLS;
      continue;
    }
    *maybe |= SEEN;
    if (*maybe & MAYBE_ALL)
      *maybe &= NULLS | SEEN | fitting((const char *)block->text + (fields[r].at & FIELD_AT), fields[r].size, *maybe);
  }
}

/* A look at the first rows of an input. */
typedef struct survey {
  csv_splitter *splitter;
  csv_blocks blocks;
  csv_field *fields;
  int64_t field_size;
  int *maybe; /* by column: MAYBE_* */
  int64_t maybe_size;
  int64_t rows, want; /* looked at, and to look at */
} survey;

static void survey_free(survey *s) {
  memory_release(s->fields, s->field_size);
  memory_release(s->maybe, s->maybe_size);
  csv_blocks_free(&s->blocks);
}

static int survey_init(survey *s, mm_error *error) {
  int32_t columns = s->splitter->names.count;
  TRY(csv_blocks_init(&s->blocks, s->splitter, error));
  s->field_size = s->blocks.room * (int64_t)sizeof *s->fields;
  s->maybe_size = columns * (int64_t)sizeof *s->maybe;
  s->fields = memory_allocate(s->field_size);
  s->maybe = memory_allocate(s->maybe_size);
  if (!s->fields || !s->maybe) return error_fail_memory(error, s->field_size + s->maybe_size);
  for (int32_t c = 0; c < columns; c++) s->maybe[c] = MAYBE_ALL;
  return 0;
}

/* Look at a chunk: 1 to go on, 0 when the sample ends. A ragged row ends it, and is told when the rows are read; but at
 * once where it is the first of all. */
static int survey_chunk(survey *s, const csv_chunk *chunk, mm_error *error) {
  csv_splitter *splitter = s->splitter;
  int32_t columns = splitter->names.count;
  csv_cursor cursor = {0};
  csv_block block = {.bad_at = -1};
  while (s->rows < s->want && block.bad_at < 0
         && csv_blocks_next(&s->blocks, chunk, &cursor, s->want - s->rows, &block)) {
    TRY(file_wait_check(&splitter->files->reading.wait, mm_files_path(splitter->files, block.span->file), LATE_OPENING,
                        error));
    s->rows += block.rows;
    for (int32_t c = 0; c < columns; c++) {
      int32_t place = block.span->positions ? block.span->positions[c] : c;
      csv_block_fields(&splitter->dialect, &block, place, columns, s->fields);
      narrow(&s->maybe[c], &block, s->fields);
    }
  }
  if (block.bad_at >= 0) return s->rows > 0 ? 0 : csv_fail_ragged(splitter, chunk, &block, -1, error);
  return s->rows < s->want;
}

int csv_infer(csv_splitter *splitter, csv_chunk *const *chunks, int64_t count, csv_sample *sample, mm_schema *schema,
              mm_error *error) {
  survey look = {.splitter = splitter, .want = sample->rows};
  const csv_header *names = &splitter->names;
  int status = survey_init(&look, error), more = 1;
  for (int64_t i = 0; i < count && status >= 0 && more > 0; i++) status = more = survey_chunk(&look, chunks[i], error);
  for (int32_t c = 0; c < names->count && status >= 0; c++)
    status = mm_schema_add(schema, names->names[c], decide_type(look.maybe[c]), true, error);
  if (status >= 0) status = mm_buffer_reserve(sample->nulls, names->count, error);
  for (int32_t c = 0; c < names->count && status >= 0; c++)
    sample->nulls->data[sample->nulls->size++] = (look.maybe[c] & NULLS) != 0;
  sample->rows = look.rows;
  survey_free(&look);
  return status < 0 ? status : 0;
}
