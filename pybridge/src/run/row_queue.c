/* row_queue.c - the sink whose rows are taken while the job runs. When it is full, the thread that combines partials
 * waits here, unless the job is cancelled.
 * SPDX-License-Identifier: MIT */
#include "run/row_queue.h"
#include "base/clock.h"
#include "host.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

struct row_queue {
  atomic_int references;
  pthread_mutex_t mutex; /* of all that follows */
  pthread_cond_t changed;
  int64_t room;
  mm_table waiting; /* its schema is set when the job has bound its stages */
  int64_t taken;    /* batches of it that are gone */
  bool given, closed, stopped;
};

static int fail_memory(mm_error *error) {
  return mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a result");
}

row_queue *row_queue_new(int64_t room, mm_error *error) {
  row_queue *queue = calloc(1, sizeof *queue);
  if (!queue) {
    fail_memory(error);
    return NULL;
  }
  queue->room = room;
  atomic_store(&queue->references, 1);
  pthread_mutex_init(&queue->mutex, NULL);
  mm_cond_init(&queue->changed);
  return queue;
}

void row_queue_retain(row_queue *queue) {
  if (queue) atomic_fetch_add(&queue->references, 1);
}

void row_queue_release(row_queue *queue) {
  if (!queue || atomic_fetch_sub(&queue->references, 1) > 1) return;
  mm_table_free(&queue->waiting);
  pthread_mutex_destroy(&queue->mutex);
  pthread_cond_destroy(&queue->changed);
  free(queue);
}

static void set_flag(row_queue *queue, bool *flag) {
  pthread_mutex_lock(&queue->mutex);
  *flag = true;
  pthread_cond_broadcast(&queue->changed);
  pthread_mutex_unlock(&queue->mutex);
}

void row_queue_close(row_queue *queue) { set_flag(queue, &queue->closed); }

/* ---- Taking ---- */

/* Rows from the head of what waits; a batch that is too long is cut. */
static int move_rows(row_queue *queue, int64_t rows, mm_table *to, mm_error *error) {
  mm_table *from = &queue->waiting;
  int status = mm_schema_copy(&to->schema, &from->schema, error);
  while (status >= 0 && to->rows < rows && queue->taken < from->count) {
    mm_batch *batch = &from->batches[queue->taken], rest = {0}, head = {0};
    int64_t room = rows - to->rows, length = batch->length;
    if (length <= room) {
      status = mm_table_append(to, batch, error);
      queue->taken++;
    } else {
      status = mm_batch_slice(&rest, batch, room, length - room, error);
      if (status >= 0) status = mm_batch_slice(&head, batch, 0, room, error);
      if (status >= 0) status = mm_table_append(to, &head, error);
      if (status < 0) mm_batch_free(&rest);
      else mm_batch_free(batch), *batch = rest;
      length = room;
    }
    if (status >= 0) from->rows -= length;
  }
  return status;
}

/* Batches that are gone make room for those to come. */
static void forget_taken(row_queue *queue) {
  mm_table *table = &queue->waiting;
  table->count -= queue->taken;
  for (int64_t i = 0; i < table->count; i++) table->batches[i] = table->batches[queue->taken + i];
  queue->taken = 0;
}

int row_queue_take(row_queue *queue, int64_t rows, int milliseconds, mm_table *to, mm_error *error) {
  struct timespec until = mm_moment_after(milliseconds);
  int waited = 0, status = ROW_QUEUE_WAIT;
  pthread_mutex_lock(&queue->mutex);
  while (queue->waiting.rows < rows && !queue->closed && waited != ETIMEDOUT)
    waited = pthread_cond_timedwait(&queue->changed, &queue->mutex, &until);
  if (queue->waiting.rows >= rows || queue->closed) {
    bool any = queue->waiting.rows > 0 || (!queue->given && queue->waiting.schema.count > 0);
    status = any ? move_rows(queue, rows, to, error) : 0;
    if (any && status >= 0) status = 1;
    forget_taken(queue);
    queue->given = true;
    pthread_cond_broadcast(&queue->changed);
  }
  pthread_mutex_unlock(&queue->mutex);
  if (status < 0) mm_table_free(to);
  return status;
}

/* ---- The sink ---- */

typedef struct queue_sink {
  mm_stage base;
  row_queue *queue;
} queue_sink;

static int queue_bind(mm_stage *stage, const mm_schema *in, mm_error *error) {
  row_queue *queue = ((queue_sink *)stage)->queue;
  pthread_mutex_lock(&queue->mutex);
  int status = mm_schema_copy(&queue->waiting.schema, in, error);
  pthread_mutex_unlock(&queue->mutex);
  return status;
}

/* A local and a partial are tables of batches. */
static int queue_open(mm_stage *stage, mm_job *job, void **local, mm_error *error) {
  (void)stage, (void)job;
  *local = calloc(1, sizeof(mm_table));
  return *local ? 0 : fail_memory(error);
}

static void drop_rows(mm_stage *stage, void *rows) {
  (void)stage;
  if (rows) mm_table_free(rows);
  free(rows);
}

static int queue_run(mm_stage *stage, void *local, const mm_batch *in, mm_batch *out, mm_error *error) {
  (void)stage, (void)out;
  mm_batch copy = {0};
  int status = mm_batch_copy(&copy, in, error);
  return status < 0 ? status : mm_table_append(local, &copy, error);
}

static int queue_cut(mm_stage *stage, void *local, void **partial, mm_error *error) {
  (void)stage;
  mm_table *made = malloc(sizeof *made);
  if (!made) return fail_memory(error);
  *made = *(mm_table *)local;
  *(mm_table *)local = (mm_table){0};
  *partial = made;
  return 0;
}

static int queue_fold(mm_stage *stage, void *partial, mm_error *error) {
  row_queue *queue = ((queue_sink *)stage)->queue;
  mm_table *rows = partial;
  int status = 0;
  pthread_mutex_lock(&queue->mutex);
  while (queue->waiting.rows >= queue->room && !queue->stopped) pthread_cond_wait(&queue->changed, &queue->mutex);
  for (int64_t i = 0; i < rows->count && status >= 0 && !queue->stopped; i++)
    status = mm_table_append(&queue->waiting, &rows->batches[i], error);
  pthread_cond_broadcast(&queue->changed);
  pthread_mutex_unlock(&queue->mutex);
  drop_rows(stage, rows);
  return status;
}

static int queue_finish(mm_stage *stage, mm_job *job, mm_table *out, mm_error *error) {
  (void)stage, (void)job, (void)out, (void)error;
  return 0;
}

static void queue_interrupt(mm_stage *stage) {
  row_queue *queue = ((queue_sink *)stage)->queue;
  set_flag(queue, &queue->stopped);
}

static void queue_free(mm_stage *stage) {
  mm_schema_free(&stage->out);
  row_queue_release(((queue_sink *)stage)->queue);
  free(stage);
}

static const mm_stage_class queue_class = {.name = "queue",
                                           .flags = MM_STAGE_BREAKER,
                                           .bind = queue_bind,
                                           .open = queue_open,
                                           .close = drop_rows,
                                           .run = queue_run,
                                           .cut = queue_cut,
                                           .fold = queue_fold,
                                           .drop = drop_rows,
                                           .finish = queue_finish,
                                           .interrupt = queue_interrupt,
                                           .free = queue_free};

mm_stage *row_queue_sink(row_queue *queue, mm_error *error) {
  queue_sink *sink = calloc(1, sizeof *sink);
  if (!sink) {
    fail_memory(error);
    return NULL;
  }
  sink->base.vtable = &queue_class;
  sink->base.flags = queue_class.flags;
  sink->queue = queue;
  row_queue_retain(queue);
  return &sink->base;
}
