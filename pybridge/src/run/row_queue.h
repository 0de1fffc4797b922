/* row_queue.h - a sink whose rows are taken, in order, while the job goes on: it runs ahead by so many rows and then waits.
 *
 * DESIGN. A queue is counted: the sink holds it, and so does who takes from it. Both sides go without the GIL and
 * without Python.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

typedef struct mm_queue mm_queue;

/* One reference. `room`: when so many rows wait, the job waits too. NULL and an error. */
mm_queue *mm_queue_new(int64_t room, mm_error *error);
void mm_queue_retain(mm_queue *queue);  /* NULL is allowed, also below */
void mm_queue_release(mm_queue *queue);
/* The last stage of a job; one for a queue. NULL and an error. */
mm_stage *mm_queue_sink(mm_queue *queue, mm_error *error);
/* There will be no more rows: the job has ended. */
void mm_queue_close(mm_queue *queue);

/* Take the next `rows` rows, or fewer where there are no more, into an empty table: 1; 0 at the end. The first take
 * gives a table even of no rows. MM_QUEUE_WAIT: they were not there within so many milliseconds. */
enum { MM_QUEUE_WAIT = 2 };
int mm_queue_take(mm_queue *queue, int64_t rows, int milliseconds, mm_table *to, mm_error *error);
