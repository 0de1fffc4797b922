/* row_queue.h - a sink whose rows are taken, in order, while the job runs: the job runs ahead by so many rows, then
 * waits.
 *
 * DESIGN. A queue is reference counted: its sink holds it, and so does its consumer. Both sides go without the GIL and
 * without Python.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

typedef struct row_queue row_queue;

/* One reference. `room`: when so many rows wait, the job waits too. NULL and an error. */
row_queue *row_queue_new(int64_t room, mm_error *error);
void row_queue_retain(row_queue *queue);  /* NULL is allowed, also below */
void row_queue_release(row_queue *queue);
/* The last stage of a job; one for a queue. NULL and an error. */
mm_stage *row_queue_sink(row_queue *queue, mm_error *error);
/* There will be no more rows: the job has ended. */
void row_queue_close(row_queue *queue);

/* Take the next `rows` rows, or fewer where there are no more, into an empty table: 1; 0 at the end. The first take
 * gives a table even of no rows. ROW_QUEUE_WAIT: they were not there within so many milliseconds. */
enum { ROW_QUEUE_WAIT = 2 };
int row_queue_take(row_queue *queue, int64_t rows, int milliseconds, mm_table *to, mm_error *error);
