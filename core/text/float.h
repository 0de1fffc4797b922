/* float.h - floats from and to text. No locale, no allocation.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdint.h>

/* Parse the whole text (no surrounding blanks): decimal or exponent form, inf, nan, any letter case; correctly rounded.
 * 0: done; 1: not a number of this form; 2: out of range. */
int parse_f64(const char *text, int64_t size, double *value);
int parse_f32(const char *text, int64_t size, float *value);
/* Shortest text that reads back to the same value, always with a point or an exponent. Returns the length, at most
 * 40. */
int format_f64(char *text, double value);
int format_f32(char *text, float value);
