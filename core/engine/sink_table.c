/* sink_table.c - the sink that keeps batches in memory for mm_job_take_result.
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"
#include "engine/job_state.h"

typedef struct table_sink {
  mm_stage base;
  int64_t limit; /* rows to keep; -1: all */
  mm_table kept;
  int64_t total;
} table_sink;

/* Rows beyond the limit are counted without being kept. */
typedef struct table_partial {
  mm_table batches;
  int64_t total;
} table_partial;

static int sink_bind(mm_stage *stage, const mm_schema *in, mm_error *error) {
  return mm_schema_copy(&((table_sink *)stage)->kept.schema, in, error);
}

static int sink_open(mm_stage *stage, mm_job *job, void **local, mm_error *error) {
  (void)stage, (void)job;
  *local = memory_allocate_zero(sizeof(table_partial));
  return *local ? 0 : error_fail_memory(error, sizeof(table_partial));
}

static void partial_free(table_partial *partial) {
  if (!partial) return;
  mm_table_free(&partial->batches);
  memory_release(partial, sizeof *partial);
}

static void sink_close(mm_stage *stage, void *local) {
  (void)stage;
  partial_free(local);
}

static int sink_run(mm_stage *stage, void *local, const mm_batch *in, mm_batch *out, mm_error *error) {
  const table_sink *sink = (const table_sink *)stage;
  table_partial *partial = local;
  (void)out;
  partial->total += in->length;
  if (sink->limit >= 0 && partial->batches.rows >= sink->limit) return 0;
  mm_batch copy = {0};
  TRY(mm_batch_copy(&copy, in, error));
  return mm_table_append(&partial->batches, &copy, error);
}

static int sink_cut(mm_stage *stage, void *local, void **partial, mm_error *error) {
  (void)stage;
  table_partial *made = memory_allocate_zero(sizeof *made);
  if (!made) return error_fail_memory(error, sizeof *made);
  *made = *(table_partial *)local;
  *(table_partial *)local = (table_partial){0};
  *partial = made;
  return 0;
}

static int sink_fold(mm_stage *stage, void *partial, mm_error *error) {
  table_sink *sink = (table_sink *)stage;
  table_partial *p = partial;
  int status = 0;
  sink->total += p->total;
  for (int64_t i = 0; i < p->batches.count && status >= 0; i++) {
    mm_batch *batch = &p->batches.batches[i];
    int64_t room = sink->limit < 0 ? batch->length : sink->limit - sink->kept.rows;
    if (room <= 0) break;
    if (room >= batch->length) {
      status = mm_table_append(&sink->kept, batch, error);
      continue;
    }
    mm_batch head = {0};
    status = mm_batch_slice(&head, batch, 0, room, error);
    if (status >= 0) status = mm_table_append(&sink->kept, &head, error);
  }
  partial_free(p);
  return status;
}

static void sink_drop(mm_stage *stage, void *partial) {
  (void)stage;
  partial_free(partial);
}

static int sink_finish(mm_stage *stage, mm_job *job, mm_table *out, mm_error *error) {
  (void)stage, (void)job, (void)out, (void)error;
  return 0;
}

static void sink_take_result(mm_stage *stage, mm_table *result, int64_t *total_rows) {
  table_sink *sink = (table_sink *)stage;
  *result = sink->kept;
  if (total_rows) *total_rows = sink->total;
  sink->kept = (mm_table){0};
}

static void sink_free(mm_stage *stage) {
  table_sink *sink = (table_sink *)stage;
  mm_table_free(&sink->kept);
  mm_schema_free(&stage->out);
  memory_release(sink, sizeof *sink);
}

static const mm_stage_class table_sink_class = {.name = "table",
                                                .flags = MM_STAGE_BREAKER,
                                                .bind = sink_bind,
                                                .open = sink_open,
                                                .close = sink_close,
                                                .run = sink_run,
                                                .cut = sink_cut,
                                                .fold = sink_fold,
                                                .drop = sink_drop,
                                                .finish = sink_finish,
                                                .take_result = sink_take_result,
                                                .free = sink_free};

mm_stage *mm_sink_table(int64_t rows, mm_error *error) {
  table_sink *sink = memory_allocate_zero(sizeof *sink);
  if (!sink) {
    error_fail_memory(error, sizeof *sink);
    return NULL;
  }
  sink->base.vtable = &table_sink_class;
  sink->base.flags = table_sink_class.flags;
  sink->limit = rows;
  return &sink->base;
}
