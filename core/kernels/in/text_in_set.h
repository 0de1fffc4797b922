/* text_in_set.h - the set of IN, of texts.
 *
 * DESIGN. Beside in_set because a text has no bits of its own that could be the key: members are views of the program's
 * constants with their hashes, and most rows are told apart by their size before any hash is computed.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

/* The constants that are not null, whose bytes it borrows. It becomes lanes->state. NULL: out of memory. */
const void *text_in_set_new(const mm_value *constants, int32_t count);
void text_in_set_free(const void *set); /* NULL is allowed */
