/* zstd_memory.h - the zstd library, with its memory counted as ours.
 * SPDX-License-Identifier: MIT */
#pragma once
#ifndef ZSTD_STATIC_LINKING_ONLY
#define ZSTD_STATIC_LINKING_ONLY /* for memory functions */
#endif
#include <zstd.h>
#include <zstd_errors.h>

extern const ZSTD_customMem zstd_memory;
