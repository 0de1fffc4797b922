/* power.c - pow as LuaJIT calls it, put there by the linker (--wrap=pow): x ^ 2 is one multiplication.
 *
 * DESIGN. LuaJIT compiles x ^ 2 as x * x, but its interpreter calls pow, which may be a unit off. Then a result would
 * depend on whether its row came before the loop was compiled. Expressions and vector programs multiply too.
 *
 * SPDX-License-Identifier: MIT */
#include <math.h>

double real_pow(double x, double y) __asm__("__real_pow");
double wrapped_pow(double x, double y) __asm__("__wrap_pow");

double wrapped_pow(double x, double y) { return y == 2 ? x * x : real_pow(x, y); }
