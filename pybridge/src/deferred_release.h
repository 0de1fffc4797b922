/* deferred_release.h - what Python or a foreign producer must release, and only under the GIL.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* First member of a struct that owns something foreign. `release` runs under the GIL and frees the struct too. */
typedef struct foreign_owner {
  struct foreign_owner *next;
  void (*release)(struct foreign_owner *owner);
} foreign_owner;

/* Release an owner at the next chance: for mm_block_foreign. Any thread, with the GIL or without, under any lock. */
void deferred_release_push(void *owner);
/* Release what waits. Under the GIL, and with no lock of ours. Every entry into the extension calls it. */
void deferred_release_drain(void);
/* From here on, owners that this thread drops are collected in a list, for deferred_release_run. No Python code may run
 * in between. */
void deferred_release_collect(foreign_owner **list);
void deferred_release_run(foreign_owner *list);
