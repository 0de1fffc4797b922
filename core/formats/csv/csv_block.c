/* csv_block.c - some hundred rows at a time with the ends of their fields: what parsing runs over while it is in the first
 * caches.
 *
 * DESIGN. The scanner writes the ends of all fields of some rows into one array. With n columns in every row, the end
 * of field c of row r is mark r * n + c: no search. That all rows have n fields is known when every n-th mark is a
 * line feed and there are as many line feeds as rows; else the rows are looked at one by one.
 *
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_block.h"
#include "base/alloc.h"
#include "base/error.h"
#include <string.h>

enum { STRIP = 32 << 10, SLACK = 128 };

int csv_blocks_init(csv_blocks *strips, const csv_splitter *cutter, mm_error *error) {
  int64_t width = sizeof *strips->marks;
  *strips = (csv_blocks){.cutter = cutter, .columns = cutter->names.count};
  strips->room = STRIP + strips->columns + SLACK;
  strips->marks = memory_allocate((strips->room + 1) * width);
  if (cutter->dialect.ragged) strips->square = memory_allocate((strips->room + 1) * width);
  if (!strips->marks || (cutter->dialect.ragged && !strips->square))
    return error_fail_memory(error, strips->room * width);
  return 0;
}

void csv_blocks_free(csv_blocks *strips) {
  int64_t width = sizeof *strips->marks;
  memory_release(strips->marks, (strips->room + 1) * width);
  memory_release(strips->square, (strips->room + 1) * width);
  *strips = (csv_blocks){0};
}

/* Rows whose last mark is a line feed, from the first on; true: no other mark of theirs is one. */
static bool is_regular(const uint8_t *text, const uint32_t *marks, int64_t columns, int64_t rows, int64_t found,
                       int64_t newlines) {
  bool regular = true;
  for (int64_t i = rows * columns; i < found; i++) newlines -= text[marks[i]] == '\n';
  for (int64_t r = 1; r <= rows; r++) regular &= text[marks[r * columns - 1]] == '\n';
  return regular && newlines == rows;
}

/* Fields of the row that starts at text[0], which has more than fit the marks. */
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
static void find_ragged(const csv_dialect *dialect, csv_block *strip, int64_t columns, int64_t found, int64_t size,
                        int64_t rows) {
  const uint32_t *marks = strip->marks + 1;
  for (int64_t r = 0; r < rows; r++, marks += columns, found -= columns) {
    int64_t fields = 1;
    while (fields <= columns && fields <= found && strip->text[marks[fields - 1]] != '\n') fields++;
    if (fields == columns) continue;
    strip->rows = r;
    strip->bad_at = marks[-1] + UINT32_C(1);
    strip->bad_fields = count_fields(dialect, strip->text + strip->bad_at, size - strip->bad_at);
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
static void square(csv_blocks *strips, csv_block *strip, int64_t found, int64_t size, int64_t rows) {
  int64_t columns = strips->columns, r = 0, most = strips->room / (columns + 1);
  if (rows > most) rows = most;
  uint32_t *mark = strips->marks + 1, *end = mark + found;
  uint32_t start = UINT32_MAX; /* the mark before the row */
  while (r < rows && (mark < end || r == 0)) {
    uint32_t *last = mark;
    while (last < end && strip->text[*last] != '\n') last++;
    if (last == end && r > 0) break;
    if (last == end) *last = row_end(&strips->cutter->dialect, strip->text, size);
    uint32_t *to = strips->square + r++ * (columns + 1);
    uint32_t limit = *last;
    if (limit > start + 1 && strip->text[limit - 1] == '\r') limit--;
    *to++ = start;
    for (int64_t c = 0; c < columns; c++) to[c] = mark + c < last ? mark[c] : mark + c == last ? limit : to[c - 1];
    start = *last;
    mark = last + 1;
  }
  strip->marks = strips->square;
  strip->stride = columns + 1;
  strip->rows = r;
  strip->size = start + UINT32_C(1);
}

bool csv_blocks_next(csv_blocks *s, const csv_chunk *piece, csv_cursor *cursor, int64_t rows, csv_block *strip) {
  const csv_dialect *dialect = &s->cutter->dialect;
  while (cursor->span < piece->span_count
         && cursor->row == piece->spans[cursor->span].first + piece->spans[cursor->span].rows) {
    cursor->span++;
    cursor->at = 0;
  }
  if (cursor->span == piece->span_count) return false;
  const csv_span *span = &piece->spans[cursor->span];
  int64_t newlines, columns = s->columns, size = span->end - span->begin - cursor->at;
  *strip = (csv_block){
      .span = span, .text = piece->text + span->begin + cursor->at, .marks = s->marks, .stride = columns, .bad_at = -1};
  s->marks[0] = UINT32_MAX;
  int64_t found =
      csv_scanner_get()->marks(dialect, span->quotes, strip->text, size, STRIP, columns, s->marks + 1, &newlines);
  if (dialect->ragged) {
    square(s, strip, found, size, rows);
  } else {
    strip->rows = found / columns < rows ? found / columns : rows;
    if (strip->rows == 0 || !is_regular(strip->text, s->marks + 1, columns, strip->rows, found, newlines))
      find_ragged(dialect, strip, columns, found, size, strip->rows ? strip->rows : 1);
    strip->size = s->marks[strip->rows * columns] + UINT32_C(1);
  }
  cursor->at += strip->size;
  cursor->row += strip->rows;
  return true;
}

/* ---- Cells ---- */

static inline csv_field plain_cell(const uint32_t *mark) {
  return (csv_field){.at = mark[0] + 1, .size = (int32_t)(mark[1] - mark[0] - 1)};
}

static inline csv_field quoted_cell(const csv_dialect *dialect, const uint8_t *text, csv_field cell) {
  if (cell.size < 2 || text[cell.at] != dialect->quote) return cell;
  cell.at++;
  cell.size -= 2;
  bool escaped = memchr(text + cell.at, dialect->quote, (size_t)cell.size) != NULL;
  cell.at |= FIELD_QUOTED | (escaped ? FIELD_ESCAPED : 0);
  return cell;
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

void csv_block_fields(const csv_dialect *dialect, const csv_block *strip, int64_t column, int64_t columns,
                      csv_field *cells) {
  const uint32_t *marks = strip->marks + column;
  const uint8_t *text = strip->text;
  int64_t rows = strip->rows, stride = strip->stride;
  for (int64_t r = 0; r < rows; r++) cells[r] = plain_cell(marks + r * stride);
  if (dialect->ragged) { /* missing fields; line ends are cut already */
    for (int64_t r = 0; r < rows; r++)
      if (cells[r].size < 0) cells[r] = (csv_field){0};
  } else if (column == columns - 1) {
    for (int64_t r = 0; r < rows; r++)
      cells[r].size -= cells[r].size > 0 && text[cells[r].at + (uint32_t)cells[r].size - 1] == '\r';
  }
  if (dialect->lines)
    for (int64_t r = 0; r < rows; r++) cells[r].at |= FIELD_QUOTED;
  if (strip->span->quotes)
    for (int64_t r = 0; r < rows; r++) cells[r] = quoted_cell(dialect, text, cells[r]);
  if (dialect->nulls)
    for (int64_t r = 0; r < rows; r++)
      if (cells[r].size > 0 && !(cells[r].at & FIELD_QUOTED)
          && is_null_text(dialect->nulls, text + (cells[r].at & FIELD_AT), cells[r].size))
        cells[r].size = 0;
}
