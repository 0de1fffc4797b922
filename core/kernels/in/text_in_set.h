/* text_in_set.h - the set of IN, of texts.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

/* The constants that are not null, whose bytes it borrows. It becomes lanes->state. NULL: out of memory. */
const void *text_in_set_new(const mm_value *constants, int32_t count);
void text_in_set_free(const void *set); /* NULL is allowed */
