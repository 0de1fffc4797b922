/* texts.isa.c - looks at many texts at once: plain loops over offsets, which compilers turn into vectors.
 * SPDX-License-Identifier: MIT */
#include "kernels.h"

int32_t PASTE(mm_texts_size, ISA)(const int32_t *offsets, int64_t n) {
  enum { BLOCK = 64 };
  int32_t size = offsets[1] - offsets[0], differences = 0;
  int64_t i = 0;
  for (; i + BLOCK <= n && !differences; i += BLOCK)
    for (int k = 0; k < BLOCK; k++) differences |= (offsets[i + k + 1] - offsets[i + k]) ^ size;
  for (; i < n; i++) differences |= (offsets[i + 1] - offsets[i]) ^ size;
  return differences ? -1 : size;
}
