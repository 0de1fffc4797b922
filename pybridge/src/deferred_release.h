/* deferred_release.h - what Python or a foreign producer must release, and only under the GIL.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* First member of a struct that owns something foreign. `release` runs under the GIL and frees the struct too. */
typedef struct mm_owner {
  struct mm_owner *next;
  void (*release)(struct mm_owner *owner);
} mm_owner;

/* Release an owner at the next chance: for mm_block_foreign. Any thread, with the GIL or without, under any lock. */
void mm_owner_defer(void *owner);
/* Release what waits. Under the GIL, and with no lock of ours. Every entry into the extension calls it. */
void mm_owner_drain(void);
/* What this thread lets go of from here on goes into a list, to be released with it. No Python code may run between. */
void mm_owner_collect(mm_owner **list);
void mm_owner_release(mm_owner *list);
