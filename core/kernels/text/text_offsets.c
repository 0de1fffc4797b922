/* text_offsets.c - finds the looks at many texts.
 * SPDX-License-Identifier: MIT */
#include "kernels/text/text_offsets.h"
#include "base/cpu.h"

void mm_texts_view_base(mm_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n);
void mm_texts_view_avx2(mm_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n);
void mm_texts_view_avx512(mm_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n);
bool mm_bytes_ascii_base(const uint8_t *bytes, int64_t n);
bool mm_bytes_ascii_avx2(const uint8_t *bytes, int64_t n);
bool mm_bytes_ascii_avx512(const uint8_t *bytes, int64_t n);
int32_t mm_texts_size_base(const int32_t *offsets, int64_t n);
int32_t mm_texts_size_avx2(const int32_t *offsets, int64_t n);
int32_t mm_texts_size_avx512(const int32_t *offsets, int64_t n);

void mm_texts_view(mm_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n) {
  static void (*const by_isa[])(mm_view * to, const uint8_t *bytes, const int32_t *offsets, int64_t n) =
      CPU_EACH(mm_texts_view);
  by_isa[cpu_isa()](to, bytes, offsets, n);
}

bool mm_bytes_ascii(const uint8_t *bytes, int64_t n) {
  static bool (*const by_isa[])(const uint8_t *bytes, int64_t n) = CPU_EACH(mm_bytes_ascii);
  return by_isa[cpu_isa()](bytes, n);
}

int32_t mm_texts_size(const int32_t *offsets, int64_t n) {
  static int32_t (*const by_isa[])(const int32_t *offsets, int64_t n) = CPU_EACH(mm_texts_size);
  return by_isa[cpu_isa()](offsets, n);
}
