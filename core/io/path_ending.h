/* path_ending.h - what the end of a path says about a file.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdbool.h>

bool path_is_zstd(const char *path); /* ".zst" */
/* Does it end in `ending`, or in that and ".zst"? */
bool path_ends(const char *path, const char *ending);
