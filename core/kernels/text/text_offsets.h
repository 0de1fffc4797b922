/* text_offsets.h - looks at many texts at once.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "kernels/kernel.h"

/* Views of n texts between offsets[0] and offsets[n]. */
void texts_view(text_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n);
bool bytes_are_ascii(const uint8_t *bytes, int64_t n);
/* The size of each of n texts (n > 0) when they are all alike, as codes are; else -1. */
int32_t texts_common_size(const int32_t *offsets, int64_t n);
