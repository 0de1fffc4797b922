/* comparisons.inc.h - the six comparisons of one type. Needs T, SUFFIX and COMPARISON, the template of one.
 * SPDX-License-Identifier: MIT */
#define S T
#define NAME PASTE(eq, SUFFIX)
#define TEST(x, y) ((x) == (y))
#include COMPARISON
#define NAME PASTE(lt, SUFFIX)
#define TEST(x, y) ((x) < (y))
#include COMPARISON
#define NAME PASTE(le, SUFFIX)
#define TEST(x, y) ((x) <= (y))
#include COMPARISON
#undef S

#define NAME PASTE(ne, SUFFIX)
#define LOOP(lanes, dst, a, b, shape) inverted(lanes, dst, PASTE(eq, SUFFIX)[shape](lanes, dst, a, b, NULL))
#include "kernels/templates/shapes.inc.h"
#undef LOOP
#undef NAME
/* Swapped operands have the opposite shape. */
#define OPPOSITE(shape) ((shape) == SHAPE_VV ? SHAPE_VV : (shape) == SHAPE_VS ? SHAPE_SV : SHAPE_VS)
#define NAME PASTE(gt, SUFFIX)
#define LOOP(lanes, dst, a, b, shape) PASTE(lt, SUFFIX)[OPPOSITE(shape)](lanes, dst, b, a, NULL)
#include "kernels/templates/shapes.inc.h"
#undef LOOP
#undef NAME
#define NAME PASTE(ge, SUFFIX)
#define LOOP(lanes, dst, a, b, shape) PASTE(le, SUFFIX)[OPPOSITE(shape)](lanes, dst, b, a, NULL)
#include "kernels/templates/shapes.inc.h"
#undef LOOP
#undef NAME
#undef OPPOSITE
#undef T
#undef SUFFIX
