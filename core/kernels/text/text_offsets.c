/* text_offsets.c - finds the looks at many texts.
 * SPDX-License-Identifier: MIT */
#include "kernels/text/text_offsets.h"
#include "base/cpu.h"

void texts_view_base(text_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n);
void texts_view_avx2(text_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n);
void texts_view_avx512(text_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n);
bool bytes_are_ascii_base(const uint8_t *bytes, int64_t n);
bool bytes_are_ascii_avx2(const uint8_t *bytes, int64_t n);
bool bytes_are_ascii_avx512(const uint8_t *bytes, int64_t n);
int32_t texts_common_size_base(const int32_t *offsets, int64_t n);
int32_t texts_common_size_avx2(const int32_t *offsets, int64_t n);
int32_t texts_common_size_avx512(const int32_t *offsets, int64_t n);

void texts_view(text_view *to, const uint8_t *bytes, const int32_t *offsets, int64_t n) {
  static void (*const by_isa[])(text_view * to, const uint8_t *bytes, const int32_t *offsets, int64_t n) =
      CPU_EACH(texts_view);
  by_isa[cpu_isa()](to, bytes, offsets, n);
}

bool bytes_are_ascii(const uint8_t *bytes, int64_t n) {
  static bool (*const by_isa[])(const uint8_t *bytes, int64_t n) = CPU_EACH(bytes_are_ascii);
  return by_isa[cpu_isa()](bytes, n);
}

int32_t texts_common_size(const int32_t *offsets, int64_t n) {
  static int32_t (*const by_isa[])(const int32_t *offsets, int64_t n) = CPU_EACH(texts_common_size);
  return by_isa[cpu_isa()](offsets, n);
}
