/* chunked_column.h - one column on its way in: chunks, and how their bytes came.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

struct ArrowSchema;

typedef struct series {
  mm_type type;
  bool nullable;
  mm_column *chunks; /* PyMem */
  int64_t count, capacity, rows;
  int64_t copied, shared;
} series;

/* What a column is to be made with. */
typedef struct wish {
  module_state *state;
  const char *name; /* of the column, for failures */
  bool nan_is_null;
} wish;

/* Add a chunk, which is emptied, also on failure. -1 and an exception. */
int mm_series_append(series *to, mm_column *take);
void mm_series_free(series *gone);

/* Each fills an empty series: 1, or 0 when the object is of another kind, or -1 and an exception. */
int mm_series_from_arrow(const wish *ask, PyObject *source, series *to);
int mm_series_from_memory(const wish *ask, PyObject *source, series *to);
/* The items of a sequence; `text_only`: of an array of objects. */
int mm_series_from_items(const wish *ask, PyObject *source, bool text_only, series *to);
/* Make null what a mask says is missing: a buffer of bytes, 1 where it is. 0, or -1 and an exception. */
int mm_series_leave_out(const wish *ask, PyObject *missing, series *to);

/* The batches of a source of Arrow data: a struct's columns, or an array as column `value`. 1, 0 or -1 as above. */
int mm_arrow_take(module_state *state, PyObject *source, mm_table *to, int64_t *copied, int64_t *shared);
