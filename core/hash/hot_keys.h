/* hot_keys.h - the groups of recent keys, found again without encoding rows.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "hash/row_encoding.h"

typedef struct mm_shortcut mm_shortcut;
int mm_shortcut_init(mm_shortcut **shortcut, const mm_key_layout *layout,
                     mm_error *error); /* NULL for keys that it cannot serve */
void mm_shortcut_free(mm_shortcut *shortcut);
void mm_shortcut_clear(mm_shortcut *shortcut);
/* Groups of up to MM_VECTOR rows that are remembered; the numbers of others go to `missed`, in order. Returns how many. */
int64_t mm_shortcut_find(mm_shortcut *shortcut, const mm_key_layout *layout, const mm_batch *batch, const int32_t *keys,
                         int64_t start, int64_t n, uint32_t *groups, uint32_t *missed);
/* Remember rows[0 .. count) of the same rows, whose groups are known, while there is room. */
void mm_shortcut_remember(mm_shortcut *shortcut, const mm_key_layout *layout, const mm_batch *batch,
                          const int32_t *keys, int64_t start, int64_t n, const uint32_t *rows, int64_t count,
                          const uint32_t *groups);
