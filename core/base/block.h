/* block.h - what the core alone may ask of blocks; see moonmill.h for the others.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"

mm_block *block_new_zero(int64_t size, mm_error *error);
int64_t block_references(const mm_block *block); /* at this moment */
