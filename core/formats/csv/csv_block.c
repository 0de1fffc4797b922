/* csv_block.c - some hundred rows at a time with the ends of their fields: what parsing runs over while it is in the
 * first caches.
 *
 * DESIGN. The scanner writes the ends of all fields of some rows into one array. With n columns in every row, the end
 * of field c of row r is mark r * n + c: no search. That all rows have n fields is known when every n-th mark is a line
 * feed and there are as many line feeds as rows; else the rows are looked at one by one.
 *
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_block.h"
#include "base/alloc.h"
#include "base/error.h"
#include <string.h>

enum { BLOCK_BYTES = 32 << 10, SLACK = 128 };

int csv_blocks_init(csv_blocks *blocks, const csv_splitter *splitter, mm_error *error) {
  int64_t width = sizeof *blocks->field_ends;
  *blocks = (csv_blocks){.splitter = splitter, .columns = splitter->names.count};
  blocks->room = BLOCK_BYTES + blocks->columns + SLACK;
  blocks->field_ends = memory_allocate((blocks->room + 1) * width);
  if (splitter->dialect.ragged) blocks->square = memory_allocate((blocks->room + 1) * width);
  if (!blocks->field_ends || (splitter->dialect.ragged && !blocks->square))
    return error_fail_memory(error, blocks->room * width);
  return 0;
}

void csv_blocks_free(csv_blocks *blocks) {
  int64_t width = sizeof *blocks->field_ends;
  memory_release(blocks->field_ends, (blocks->room + 1) * width);
  memory_release(blocks->square, (blocks->room + 1) * width);
  *blocks = (csv_blocks){0};
}

/* Rows whose last mark is a line feed, from the first on; true: no other mark of theirs is one. */
static bool is_regular(const uint8_t *text, const uint32_t *field_ends, int64_t columns, int64_t rows, int64_t found,
                       int64_t newlines) {
  bool regular = true;
  for (int64_t i = rows * columns; i < found; i++) newlines -= text[field_ends[i]] == '\n';
  for (int64_t r = 1; r <= rows; r++) regular &= text[field_ends[r * columns - 1]] == '\n';
  return regular && newlines == rows;
}

/* Fields of the row that starts at text[0], which has more than fit the field ends. */
static int64_t count_fields(const csv_dialect *dialect, const uint8_t *text, int64_t size) {
  int64_t fields = 1;
  bool inside = false;
  for (int64_t i = 0; i < size && (inside || text[i] != '\n'); i++) {
    inside ^= dialect->quoting && text[i] == dialect->quote;
    fields += !inside && text[i] == dialect->delimiter;
  }
  return fields;
}

/* Regular rows before the first that is not; that one is told. */
static void find_ragged(const csv_dialect *dialect, csv_block *block, int64_t columns, int64_t found, int64_t size,
                        int64_t rows) {
  const uint32_t *field_ends = block->field_ends + 1;
  for (int64_t r = 0; r < rows; r++, field_ends += columns, found -= columns) {
    int64_t fields = 1;
    while (fields <= columns && fields <= found && block->text[field_ends[fields - 1]] != '\n') fields++;
    if (fields == columns) continue;
    block->rows = r;
    block->bad_at = field_ends[-1] + UINT32_C(1);
    block->bad_fields = count_fields(dialect, block->text + block->bad_at, size - block->bad_at);
    return;
  }
}

/* The line feed that ends the row at text[0], which is whole. */
static uint32_t row_end(const csv_dialect *dialect, const uint8_t *text, int64_t size) {
  csv_row_scan scan = {.want = 1, .bad = -1, .after = SCAN_SEPARATOR};
  csv_scanner_get()->rows(&scan, dialect, text, size);
  return (uint32_t)(scan.row_start - 1);
}

/* Rows of any length to rows of `columns` fields: what is missing ends before it starts, what is too much is left
 * out. A first row that goes on behind the last mark has more than `columns` fields, whose ends are all marked: it is
 * taken alone, up to where it really ends. */
static void square(csv_blocks *blocks, csv_block *block, int64_t found, int64_t size, int64_t rows) {
  int64_t columns = blocks->columns, r = 0, most = blocks->room / (columns + 1);
  if (rows > most) rows = most;
  uint32_t *mark = blocks->field_ends + 1, *end = mark + found;
  uint32_t start = UINT32_MAX; /* the mark before the row */
  while (r < rows && (mark < end || r == 0)) {
    uint32_t *last = mark;
    while (last < end && block->text[*last] != '\n') last++;
    if (last == end && r > 0) break;
    if (last == end) *last = row_end(&blocks->splitter->dialect, block->text, size);
    uint32_t *to = blocks->square + r++ * (columns + 1);
    uint32_t limit = *last;
    if (limit > start + 1 && block->text[limit - 1] == '\r') limit--;
    *to++ = start;
    for (int64_t c = 0; c < columns; c++) to[c] = mark + c < last ? mark[c] : mark + c == last ? limit : to[c - 1];
    start = *last;
    mark = last + 1;
  }
  block->field_ends = blocks->square;
  block->stride = columns + 1;
  block->rows = r;
  block->size = start + UINT32_C(1);
}

bool csv_blocks_next(csv_blocks *s, const csv_chunk *chunk, csv_cursor *cursor, int64_t rows, csv_block *block) {
  const csv_dialect *dialect = &s->splitter->dialect;
  while (cursor->span < chunk->span_count
         && cursor->row == chunk->spans[cursor->span].first + chunk->spans[cursor->span].rows) {
    cursor->span++;
    cursor->at = 0;
  }
  if (cursor->span == chunk->span_count) return false;
  const csv_span *span = &chunk->spans[cursor->span];
  int64_t newlines, columns = s->columns, size = span->end - span->begin - cursor->at;
  *block = (csv_block){.span = span,
                       .text = chunk->text + span->begin + cursor->at,
                       .field_ends = s->field_ends,
                       .stride = columns,
                       .bad_at = -1};
  s->field_ends[0] = UINT32_MAX;
  int64_t found = csv_scanner_get()->field_ends(dialect, span->quotes, block->text, size, BLOCK_BYTES, columns,
                                                s->field_ends + 1, &newlines);
  if (dialect->ragged) {
    square(s, block, found, size, rows);
  } else {
    block->rows = found / columns < rows ? found / columns : rows;
    if (block->rows == 0 || !is_regular(block->text, s->field_ends + 1, columns, block->rows, found, newlines))
      find_ragged(dialect, block, columns, found, size, block->rows ? block->rows : 1);
    block->size = s->field_ends[block->rows * columns] + UINT32_C(1);
  }
  cursor->at += block->size;
  cursor->row += block->rows;
  return true;
}

/* ---- Cells ---- */

static inline csv_field plain_field(const uint32_t *mark) {
  return (csv_field){.at = mark[0] + 1, .size = (int32_t)(mark[1] - mark[0] - 1)};
}

static inline csv_field quoted_field(const csv_dialect *dialect, const uint8_t *text, csv_field field) {
  if (field.size < 2 || text[field.at] != dialect->quote) return field;
  field.at++;
  field.size -= 2;
  bool escaped = memchr(text + field.at, dialect->quote, (size_t)field.size) != NULL;
  field.at |= FIELD_QUOTED | (escaped ? FIELD_ESCAPED : 0);
  return field;
}

/* One of the texts that mean null. */
static bool is_null_text(const char *nulls, const uint8_t *text, int32_t size) {
  for (const char *at = nulls;; at++) {
    const char *end = strchrnul(at, '\n');
    if (end - at == size && memcmp(at, text, (size_t)size) == 0) return true;
    if (!*end) return false;
    at = end;
  }
}

void csv_block_fields(const csv_dialect *dialect, const csv_block *block, int64_t column, int64_t columns,
                      csv_field *fields) {
  const uint32_t *field_ends = block->field_ends + column;
  const uint8_t *text = block->text;
  int64_t rows = block->rows, stride = block->stride;
  for (int64_t r = 0; r < rows; r++) fields[r] = plain_field(field_ends + r * stride);
  if (dialect->ragged) { /* missing fields; line ends are cut already */
    for (int64_t r = 0; r < rows; r++)
      if (fields[r].size < 0) fields[r] = (csv_field){0};
  } else if (column == columns - 1) {
    for (int64_t r = 0; r < rows; r++)
      fields[r].size -= fields[r].size > 0 && text[fields[r].at + (uint32_t)fields[r].size - 1] == '\r';
  }
  if (dialect->lines)
    for (int64_t r = 0; r < rows; r++) fields[r].at |= FIELD_QUOTED;
  if (block->span->quotes)
    for (int64_t r = 0; r < rows; r++) fields[r] = quoted_field(dialect, text, fields[r]);
  if (dialect->nulls)
    for (int64_t r = 0; r < rows; r++)
      if (fields[r].size > 0 && !(fields[r].at & FIELD_QUOTED)
          && is_null_text(dialect->nulls, text + (fields[r].at & FIELD_AT), fields[r].size))
        fields[r].size = 0;
}
