/* refusal.h - failures that the files of types/ share.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "internal.h"

int mm_fail_text(mm_error *error);                     /* more bytes of text than offsets can count */
int mm_fail_opaque(mm_error *error, const char *what); /* what cannot be done with a foreign type */
