/* group_partial.c - partials that have been merged, kept with their memory for the next morsels.
 * SPDX-License-Identifier: MIT */
#include "stages/group/group.h"

void mm_spares_init(mm_spares *spares) { pthread_mutex_init(&spares->lock, NULL); }

int mm_spares_take(mm_spares *spares, const mm_group_plan *plan, mm_partial **partial, mm_error *error) {
  pthread_mutex_lock(&spares->lock);
  *partial = spares->first;
  if (*partial) spares->first = (*partial)->next;
  pthread_mutex_unlock(&spares->lock);
  if (*partial) return 0;
  *partial = mm_allocate_zero(sizeof **partial);
  if (!*partial) return mm_fail_memory(error, sizeof **partial);
  int status = mm_groups_init(&(*partial)->groups, plan, 0, error);
  if (status < 0) mm_partial_free(*partial);
  return status;
}

void mm_spares_give(mm_spares *spares, mm_partial *partial) {
  partial->scattered = false;
  mm_arena_reset(&partial->groups.arena);
  pthread_mutex_lock(&spares->lock);
  partial->next = spares->first;
  spares->first = partial;
  pthread_mutex_unlock(&spares->lock);
}

void mm_spares_free(mm_spares *spares) {
  while (spares->first) {
    mm_partial *partial = spares->first;
    spares->first = partial->next;
    mm_partial_free(partial);
  }
  pthread_mutex_destroy(&spares->lock);
}

void mm_partial_free(mm_partial *partial) {
  if (!partial) return;
  mm_groups_free(&partial->groups);
  mm_buffer_free(&partial->places);
  mm_release(partial, sizeof *partial);
}
