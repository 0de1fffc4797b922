/* bitmap_count.isa.c - how many bits are set.
 * SPDX-License-Identifier: MIT */
#include "base/bitmap.h"
#include "base/compiler.h"
#include <stdint.h>
extern int64_t PASTE(bits_count, ISA)(const uint64_t *bits, int64_t n);
int64_t PASTE(bits_count, ISA)(const uint64_t *bits, int64_t n) { return bits_count_inline(bits, n); }
