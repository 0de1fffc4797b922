/* utf8.c - is this text valid UTF-8, and where not?
 *
 * DESIGN. Most text is ASCII: eight bytes at a time are enough for short values. From VECTOR bytes on the AVX2 version
 * validates 32 bytes at a time by three table lookups on neighbouring bytes (Keiser and Lemire, "Validating UTF-8 in
 * less than one instruction per byte", 2021); when it sees anything wrong the plain version looks again from the last
 * character that began before, so both give the same answer.
 * SPDX-License-Identifier: MIT */
#include "base/cpu.h"
#include "moonmill.h"
#include "text/digits.h"

enum { VECTOR = 64 };

/* Bytes of the valid character at `at`, 0 when there is none. */
static int character(const uint8_t *at, const uint8_t *end) {
  uint8_t lead = *at, low = 0x80, high = 0xbf;
  int n = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (n < 2) return n;
  if (end - at < n) return 0;
  if (lead == 0xe0) low = 0xa0; /* shorter forms exist */
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xed) high = 0x9f; /* surrogates */
  if (lead == 0xf4) high = 0x8f; /* above U+10FFFF */
  if (at[1] < low || at[1] > high) return 0;
  for (int i = 2; i < n; i++)
    if ((at[i] & 0xc0) != 0x80) return 0;
  return n;
}

static int64_t invalid_plain(const uint8_t *bytes, int64_t start, int64_t size) {
  const uint8_t *at = bytes + start, *end = bytes + size;
  while (at < end) {
    if (end - at >= 8 && !(load_u64(at) & BYTES(0x80))) {
      at += 8;
      continue;
    }
    int n = character(at, end);
    if (!n) return at - bytes;
    at += n;
  }
  return -1;
}

#ifdef __x86_64__
#include <immintrin.h>

/* What can be wrong with two neighbouring bytes; a lookup gives the faults that one half byte allows. */
enum {
  SHORT = 1,     /* lead, then no continuation */
  LONG = 2,      /* ASCII, then a continuation */
  OVERLONG3 = 4, /* E0 80..9F */
  LARGE = 8,     /* F4 90..BF, F5.. 80.. */
  SURROGATE = 16,
  OVERLONG2 = 32, /* C0 C1 */
  OVERLONG4 = 64, /* F0 80..8F; also F5.. 80..8F */
  PAIR = 128,     /* two continuations: right only after a lead of three or four bytes */
  ANY = SHORT | LONG | PAIR
};
#define TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)
#define FOUR(x) x, x, x, x

/* Faults among 32 bytes, given the 32 before; zero when there are none. */
__attribute__((target("avx2"))) static inline __m256i faults(__m256i block, __m256i before) {
  const __m256i half = _mm256_set1_epi8(0x0f);
  const __m256i first_high = TWICE(FOUR(LONG), FOUR(LONG), FOUR((char)PAIR), SHORT | OVERLONG2, SHORT,
                                   SHORT | OVERLONG3 | SURROGATE, SHORT | LARGE | OVERLONG4);
  const __m256i first_low = TWICE((char)(ANY | OVERLONG2 | OVERLONG3 | OVERLONG4), (char)(ANY | OVERLONG2), (char)ANY,
                                  (char)ANY, (char)(ANY | LARGE), FOUR((char)(ANY | LARGE | OVERLONG4)),
                                  FOUR((char)(ANY | LARGE | OVERLONG4)), (char)(ANY | LARGE | OVERLONG4 | SURROGATE),
                                  (char)(ANY | LARGE | OVERLONG4), (char)(ANY | LARGE | OVERLONG4));
  const __m256i second_high =
      TWICE(FOUR(SHORT), FOUR(SHORT), (char)(LONG | PAIR | OVERLONG2 | OVERLONG3 | OVERLONG4),
            (char)(LONG | PAIR | OVERLONG2 | OVERLONG3 | LARGE), (char)(LONG | PAIR | OVERLONG2 | SURROGATE | LARGE),
            (char)(LONG | PAIR | OVERLONG2 | SURROGATE | LARGE), FOUR(SHORT));

  __m256i across = _mm256_permute2x128_si256(before, block, 0x21);
  __m256i back1 = _mm256_alignr_epi8(block, across, 15);
  __m256i back2 = _mm256_alignr_epi8(block, across, 14);
  __m256i back3 = _mm256_alignr_epi8(block, across, 13);
  __m256i pair = _mm256_and_si256(
      _mm256_and_si256(_mm256_shuffle_epi8(first_high, _mm256_and_si256(_mm256_srli_epi16(back1, 4), half)),
                       _mm256_shuffle_epi8(first_low, _mm256_and_si256(back1, half))),
      _mm256_shuffle_epi8(second_high, _mm256_and_si256(_mm256_srli_epi16(block, 4), half)));
  /* The high bit: this must be the third or fourth byte of a character, exactly where PAIR was found. */
  __m256i third = _mm256_subs_epu8(back2, _mm256_set1_epi8(0xe0 - 0x80));
  __m256i fourth = _mm256_subs_epu8(back3, _mm256_set1_epi8(0xf0 - 0x80));
  __m256i due = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
  return _mm256_xor_si256(due, pair);
}

__attribute__((target("avx2"))) static int64_t invalid_avx2(const uint8_t *bytes, int64_t size) {
  __m256i before = _mm256_setzero_si256();
  int64_t i = 0;
  for (; i + 64 <= size; i += 64) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(bytes + i));
    __m256i b = _mm256_loadu_si256((const __m256i *)(bytes + i + 32));
    bool open = i > 0 && bytes[i - 1] >= 0x80; /* a character may reach into this block */
    if (!open && _mm256_movemask_epi8(_mm256_or_si256(a, b)) == 0) {
      before = b;
      continue;
    }
    __m256i wrong = _mm256_or_si256(faults(a, before), faults(b, a));
    if (!_mm256_testz_si256(wrong, wrong)) break;
    before = b;
  }
  /* The last 63 bytes or fewer, or the fault: from where the last character before them began. */
  int64_t start = i;
  while (start > 0 && i - start < 3 && (bytes[start - 1] & 0xc0) == 0x80) start--;
  if (start > 0 && bytes[start - 1] >= 0xc0) start--;
  return invalid_plain(bytes, start, size);
}
#endif

int64_t mm_utf8_invalid(const uint8_t *bytes, int64_t size) {
  if (size < 8) {
    if (size <= 0 || !(load_short((const char *)bytes, size) & BYTES(0x80))) return -1;
  } else if (size <= 16) {
    if (!((load_u64(bytes) | load_u64(bytes + size - 8)) & BYTES(0x80))) return -1;
  }
#ifdef __x86_64__
  if (size >= VECTOR && cpu_isa() >= CPU_AVX2) return invalid_avx2(bytes, size);
#endif
  return invalid_plain(bytes, 0, size);
}
