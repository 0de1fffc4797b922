/* group_selection.h - a filtered batch as one whose other rows are null.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stages/group/group_plan.h"

/* A batch without keys of which only selected rows count, as aggregates that leave nulls out may see it: the other
 * rows are null. */
typedef struct group_selection {
  mm_batch seen;     /* columns borrowed from the batch */
  mm_column counted; /* a column that is null where a row does not count, for count() */
  mm_buffer valid;   /* bits of the columns that have nulls of their own */
} group_selection;

int group_selection_apply(group_selection *selection, const group_plan *plan, const mm_batch *batch, mm_error *error);
void group_selection_free(group_selection *selection);
