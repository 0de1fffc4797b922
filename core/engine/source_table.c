/* source_table.c - batches in memory as the source of a job: a morsel is a range of rows, whatever batches they lie in.
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"
#include "stage.h"

typedef struct table_source {
  mm_source base;
  mm_batch *batches;
  mm_column *lent; /* the columns of all batches, without their blocks */
  int64_t count;
  int64_t *starts; /* first row of each batch, and the number of rows */
  int64_t next;    /* row that the next piece starts at */
} table_source;

/* A worker runs one piece at a time, so a piece is only a position. */
typedef struct table_piece {
  int64_t row, end; /* next row, row after the last */
  int64_t batch;    /* batch that holds `row` */
} table_piece;

static int64_t batch_of(const table_source *s, int64_t row) {
  int64_t low = 0, high = s->count - 1;
  while (low < high) {
    int64_t middle = (low + high + 1) / 2;
    if (s->starts[middle] <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

static int table_claim(mm_source *source, void **piece, mm_error *error) {
  table_source *s = (table_source *)source;
  int64_t rows = s->starts[s->count];
  if (s->next >= rows) return 0;
  table_piece *p = memory_allocate(sizeof *p);
  if (!p) return error_fail_memory(error, sizeof *p);
  *p = (table_piece){.row = s->next, .batch = batch_of(s, s->next)};
  p->end = rows - s->next > source->piece_rows ? s->next + source->piece_rows : rows;
  s->next = p->end;
  *piece = p;
  return 1;
}

static int table_load(mm_source *source, void *local, void *piece, int64_t rows, mm_batch *out, mm_error *error) {
  table_source *s = (table_source *)source;
  table_piece *p = piece;
  (void)local;
  while (p->row < p->end && s->starts[p->batch + 1] <= p->row) p->batch++;
  if (p->row >= p->end) return 0;
  int64_t stop = s->starts[p->batch + 1] < p->end ? s->starts[p->batch + 1] : p->end;
  int64_t length = stop - p->row < rows ? stop - p->row : rows;
  mm_batch whole = s->batches[p->batch];
  if (source->lends) whole.columns = s->lent + p->batch * s->base.schema.count;
  TRY(mm_batch_slice(out, &whole, p->row - s->starts[p->batch], length, error));
  out->origin = NULL;
  mm_block_release(out->origin_block);
  out->origin_block = NULL;
  p->row += length;
  return 1;
}

static void table_drop(mm_source *source, void *piece) {
  (void)source;
  memory_release(piece, sizeof(table_piece));
}

static int64_t lent_bytes(const table_source *s) {
  return (s->count * s->base.schema.count + 1) * (int64_t)sizeof(mm_column);
}

/* Counting a block for each batch makes its counter travel between the workers. A foreign type's column needs its block
 * to be read. */
static int lend_batches(table_source *s, mm_error *error) {
  s->lent = memory_allocate(lent_bytes(s));
  if (!s->lent) return error_fail_memory(error, lent_bytes(s));
  for (int64_t b = 0; b < s->count; b++)
    for (int32_t c = 0; c < s->base.schema.count; c++) {
      mm_column *column = &s->lent[b * s->base.schema.count + c];
      *column = s->batches[b].columns[c];
      if (column->type.id != MM_OPAQUE) column->valid_block = column->data_block = column->offsets_block = NULL;
    }
  return 0;
}

static void table_free(mm_source *source) {
  table_source *s = (table_source *)source;
  for (int64_t i = 0; i < s->count && s->batches; i++) mm_batch_free(&s->batches[i]);
  memory_release(s->lent, lent_bytes(s));
  memory_release(s->batches, (s->count + 1) * (int64_t)sizeof *s->batches);
  memory_release(s->starts, (s->count + 1) * (int64_t)sizeof *s->starts);
  mm_schema_free(&s->base.schema);
  memory_release(s, sizeof *s);
}

static const mm_source_class table_class = {
    .name = "table", .claim = table_claim, .load = table_load, .drop = table_drop, .free = table_free};

mm_source *mm_source_table(const mm_table *table, mm_error *error) {
  table_source *s = memory_allocate_zero(sizeof *s);
  if (!s) {
    error_fail_memory(error, sizeof *s);
    return NULL;
  }
  s->base.vtable = &table_class;
  s->count = table->count;
  s->batches = memory_allocate_zero((s->count + 1) * (int64_t)sizeof *s->batches);
  s->starts = memory_allocate_zero((s->count + 1) * (int64_t)sizeof *s->starts);
  int status = s->batches && s->starts ? 0 : error_fail_memory(error, s->count * (int64_t)sizeof *s->batches);
  if (status >= 0) status = mm_schema_copy(&s->base.schema, &table->schema, error);
  for (int64_t i = 0; i < s->count && status >= 0; i++) {
    status = mm_batch_copy(&s->batches[i], &table->batches[i], error);
    s->starts[i + 1] = s->starts[i] + table->batches[i].length;
  }
  if (status >= 0) status = lend_batches(s, error);
  s->base.piece_rows = MM_MORSEL;
  if (status >= 0) s->base.rows = s->starts[s->count];
  if (status < 0) {
    table_free(&s->base);
    return NULL;
  }
  return &s->base;
}
