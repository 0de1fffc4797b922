/* infer.c - the types of columns out of a sample of rows.
 *
 * DESIGN. A column starts with every type it may have; each value takes away those it does not fit. What is left
 * decides, the narrowest first; nothing left is text. Digits that would be lost or changed by a number make text:
 * leading zeros, a plus sign, integers beyond i64.
 *
 * SPDX-License-Identifier: MIT */
#include "formats.h"

enum { MAYBE_I64 = 1, MAYBE_F64 = 2, MAYBE_BOOL = 4, MAYBE_DATE = 8, MAYBE_TIMESTAMP = 16, MAYBE_ALL = 31, SEEN = 32 };

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
    int integer = mm_parse_i64(text, size, &i);
    if (integer == 0) fits |= MAYBE_I64 | MAYBE_F64;
    else if (integer == 1 && mm_parse_f64(text, size, &f) == 0) fits |= MAYBE_F64;
  }
  if (maybe & MAYBE_BOOL && mm_parse_bool(text, size, &b) == 0) fits |= MAYBE_BOOL;
  if (maybe & MAYBE_DATE && mm_parse_date(text, size, &days) == 0) fits |= MAYBE_DATE;
  if (maybe & MAYBE_TIMESTAMP && mm_parse_timestamp(text, size, MM_MICROS, &i) == 0) fits |= MAYBE_TIMESTAMP;
  return fits;
}

static mm_type decide(int maybe) {
  if (!(maybe & SEEN)) return (mm_type){.id = MM_UTF8};
  if (maybe & MAYBE_I64) return (mm_type){.id = MM_I64};
  if (maybe & MAYBE_F64) return (mm_type){.id = MM_F64};
  if (maybe & MAYBE_BOOL) return (mm_type){.id = MM_BOOL};
  if (maybe & MAYBE_DATE) return (mm_type){.id = MM_DATE};
  if (maybe & MAYBE_TIMESTAMP) return (mm_type){.id = MM_TIMESTAMP, .unit = MM_MICROS};
  return (mm_type){.id = MM_UTF8};
}

static void narrow(int *maybe, const mm_strip *strip, const mm_cell *cells) {
  for (int64_t r = 0; r < strip->rows; r++) {
    if (mm_cell_null(cells[r])) continue;
    *maybe |= SEEN;
    if (!(*maybe & MAYBE_ALL)) return;
    *maybe &= SEEN | fitting((const char *)strip->text + (cells[r].at & CELL_AT), cells[r].size, *maybe);
  }
}

/* The rows of a piece, at most `rows`; what is wrong with later ones is told when they are read. */
static int64_t sample(const mm_cutter *cutter, mm_strips *strips, const mm_piece *piece, int64_t rows, mm_cell *cells,
                      int *maybe) {
  const mm_names *names = &cutter->names;
  mm_cursor cursor = {0};
  mm_strip strip = {.bad_at = -1};
  while (cursor.row < rows && strip.bad_at < 0 && mm_strips_next(strips, piece, &cursor, rows - cursor.row, &strip))
    for (int32_t c = 0; c < names->count; c++) {
      int32_t place = strip.span->places ? strip.span->places[c] : c;
      mm_strip_cells(&cutter->dialect, &strip, place, names->count, cells);
      narrow(&maybe[c], &strip, cells);
    }
  return cursor.row;
}

int mm_infer(const mm_cutter *cutter, mm_piece *const *pieces, int64_t count, int64_t rows, mm_schema *schema,
             mm_error *error) {
  const mm_names *names = &cutter->names;
  mm_strips strips;
  int64_t maybe_size = names->count * (int64_t)sizeof(int), cell_size = 0;
  int *maybe = mm_allocate(maybe_size);
  mm_cell *cells = NULL;
  int status = mm_strips_init(&strips, cutter, error);
  if (status >= 0) cells = mm_allocate(cell_size = strips.room * (int64_t)sizeof *cells);
  if (status >= 0 && (!maybe || !cells)) status = mm_fail_memory(error, maybe_size + cell_size);
  if (status >= 0) {
    for (int32_t c = 0; c < names->count; c++) maybe[c] = MAYBE_ALL;
    for (int64_t i = 0; i < count && rows > 0; i++) rows -= sample(cutter, &strips, pieces[i], rows, cells, maybe);
  }
  for (int32_t c = 0; c < names->count && status >= 0; c++)
    status = mm_schema_add(schema, names->names[c], decide(maybe[c]), true, error);
  mm_release(cells, cell_size);
  mm_release(maybe, maybe_size);
  mm_strips_free(&strips);
  return status < 0 ? status : 0;
}
