/* pick_min_max.inc.h - minimum and maximum of one type. Needs T, SUFFIX and least and greatest of that suffix.
 * SPDX-License-Identifier: MIT */
#define NAME PASTE(min, SUFFIX)
#define RESULT(x, y) PASTE(least, SUFFIX)(x, y)
#include "kernels/templates/binary.inc.h"
#define NAME PASTE(max, SUFFIX)
#define RESULT(x, y) PASTE(greatest, SUFFIX)(x, y)
#include "kernels/templates/binary.inc.h"
#undef T
#undef SUFFIX
