/* compare_mixed.inc.h - the comparisons of two number types. Needs T, S, SUFFIX (as i64_f64) and
 * order_SUFFIX(x, y).
 * SPDX-License-Identifier: MIT */
#define ORDER(x, y) PASTE(order, SUFFIX)(x, y)
#define NAME PASTE(eq, SUFFIX)
#define TEST(x, y) (ORDER(x, y) == 0)
#include "kernels/templates/compare.inc.h"
#define NAME PASTE(ne, SUFFIX)
#define TEST(x, y) (ORDER(x, y) != 0)
#include "kernels/templates/compare.inc.h"
#define NAME PASTE(lt, SUFFIX)
#define TEST(x, y) (ORDER(x, y) == -1)
#include "kernels/templates/compare.inc.h"
#define NAME PASTE(le, SUFFIX)
#define TEST(x, y) (ORDER(x, y) <= 0)
#include "kernels/templates/compare.inc.h"
#define NAME PASTE(gt, SUFFIX)
#define TEST(x, y) (ORDER(x, y) == 1)
#include "kernels/templates/compare.inc.h"
#define NAME PASTE(ge, SUFFIX)
#define TEST(x, y) ((unsigned)ORDER(x, y) <= 1)
#include "kernels/templates/compare.inc.h"
#undef ORDER
#undef T
#undef S
#undef SUFFIX
