/* modular.inc.h - + - * of a narrow integer type, modulo 2^width. Needs T and SUFFIX.
 * SPDX-License-Identifier: MIT */
#define NAME PASTE(add, SUFFIX)
#define RESULT(x, y) ((T)((uint32_t)(x) + (uint32_t)(y)))
#include "kernels/templates/binary.inc.h"
#define NAME PASTE(sub, SUFFIX)
#define RESULT(x, y) ((T)((uint32_t)(x) - (uint32_t)(y)))
#include "kernels/templates/binary.inc.h"
#define NAME PASTE(mul, SUFFIX)
#define RESULT(x, y) ((T)((uint32_t)(x) * (uint32_t)(y)))
#include "kernels/templates/binary.inc.h"
#undef T
#undef SUFFIX
