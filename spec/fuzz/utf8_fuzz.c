/* utf8_fuzz.c - the fast check of UTF-8 equals a slow one at every alignment.
 * SPDX-License-Identifier: MIT */
#include "moonmill.h"
#include <stdlib.h>
#include <string.h>

/* Decodes one character by the definition: shortest form, no surrogates, up to U+10FFFF. Returns its bytes, or 0. */
static int slow_character(const uint8_t *at, int64_t left) {
  static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
  int n = *at < 0x80 ? 1 : *at >> 5 == 6 ? 2 : *at >> 4 == 14 ? 3 : *at >> 3 == 30 ? 4 : 0;
  if (n < 2) return n;
  if (n > left) return 0;
  uint32_t code = *at & (0xffu >> (n + 1));
  for (int i = 1; i < n; i++) {
    if (at[i] >> 6 != 2) return 0;
    code = code << 6 | (at[i] & 0x3f);
  }
  return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : n;
}

static int64_t slow(const uint8_t *bytes, int64_t size) {
  for (int64_t i = 0, n; i < size; i += n) {
    n = slow_character(bytes + i, size - i);
    if (!n) return i;
  }
  return -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  int64_t want = slow(bytes, (int64_t)size);
  for (size_t offset = 0; offset < 64; offset += size < 256 ? 1 : 13) {
    uint8_t *room = malloc(offset + size + 1);
    memset(room, 0xff, offset + size + 1);
    memcpy(room + offset, bytes, size);
    if (mm_utf8_invalid(room + offset, (int64_t)size) != want) __builtin_trap();
    free(room);
  }
  return 0;
}
