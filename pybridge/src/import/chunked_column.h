/* chunked_column.h - one column on its way in: chunks, and how their bytes came.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

struct ArrowSchema;

typedef struct chunked_column {
  mm_type type;
  bool nullable;
  mm_column *chunks; /* PyMem */
  int64_t count, capacity, rows;
  int64_t copied, shared;
} chunked_column;

/* What a column is to be made with. */
typedef struct column_request {
  module_state *state;
  const char *name; /* of the column, for failures */
  bool nan_is_null;
} column_request;

/* Add a chunk, which is emptied, also on failure. -1 and an exception. */
int chunked_column_append(chunked_column *to, mm_column *take);
void chunked_column_free(chunked_column *gone);

/* Each fills an empty chunked column: 1, or 0 when the object is of another kind, or -1 and an exception. */
int chunked_column_from_arrow(const column_request *ask, PyObject *source, chunked_column *to);
int chunked_column_from_buffer(const column_request *ask, PyObject *source, chunked_column *to);
/* The items of a sequence; `text_only`: of an array of objects. */
int chunked_column_from_sequence(const column_request *ask, PyObject *source, bool text_only, chunked_column *to);
/* Make null what a mask says is missing: a buffer of bytes, 1 where it is. 0, or -1 and an exception. */
int chunked_column_mask(const column_request *ask, PyObject *missing, chunked_column *to);

/* The batches of a source of Arrow data: a struct's columns, or an array as column `value`. 1, 0 or -1 as above. */
int arrow_take(module_state *state, PyObject *source, mm_table *to, int64_t *copied, int64_t *shared);
