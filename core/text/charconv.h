/* charconv.h - the C++ library's number conversions, as C functions.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/* A decimal number without a sign, well formed; correctly rounded. False when its magnitude does not fit. */
int from_decimal_f64(const char *text, int64_t size, double *value);
int from_decimal_f32(const char *text, int64_t size, float *value);
/* The shortest digits of a positive finite number, d[.d...]e+dd[d]. Returns the length, below 32. */
int to_scientific_f64(char *text, double value);
int to_scientific_f32(char *text, float value);

#ifdef __cplusplus
}
#endif
