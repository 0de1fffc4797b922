/* group_selection.c - a filtered batch presented as one whose unselected rows are null.
 * SPDX-License-Identifier: MIT */
#include "stages/group/group_selection.h"
#include "base/bitmap.h"
#include "base/error.h"
#include <string.h>

/* Returns whether it used the room, for the bits of one column. */
static bool mask(mm_column *column, const mm_batch *batch, uint64_t *room) {
  if (!column->valid) {
    column->valid = batch->selected;
    return false;
  }
  bits_copy(room, column->valid, 0, batch->length);
  for (int64_t w = 0; w < bit_words(batch->length); w++) room[w] &= batch->selected[w];
  column->valid = room;
  return true;
}

int group_selection_apply(group_selection *selection, const group_plan *plan, const mm_batch *batch, mm_error *error) {
  int64_t words = bit_words(batch->length);
  selection->seen.count = 0; /* its columns are borrowed */
  TRY(mm_batch_resize(&selection->seen, batch->count, error));
  selection->valid.size = 0;
  TRY(mm_buffer_reserve(&selection->valid, plan->accumulator_count * words * 8, error));
  uint64_t *room = (uint64_t *)(void *)selection->valid.data;
  if (batch->count > 0) memcpy(selection->seen.columns, batch->columns, (size_t)batch->count * sizeof *batch->columns);
  for (int32_t i = 0; i < plan->accumulator_count; i++) {
    int32_t at = plan->accumulators[i].column;
    mm_column *column = at < 0 ? NULL : &selection->seen.columns[at];
    if (!column || column->valid != batch->columns[at].valid || column->type.id == MM_NULL)
      continue; /* or masked already */
    if (mask(column, batch, room)) room += words;
  }
  selection->counted = (mm_column){.type = {.id = MM_BOOL}, .length = batch->length, .valid = batch->selected};
  selection->seen.length = batch->length;
  return 0;
}

void group_selection_free(group_selection *selection) {
  selection->seen.count = 0;
  mm_batch_free(&selection->seen);
  mm_buffer_free(&selection->valid);
}
