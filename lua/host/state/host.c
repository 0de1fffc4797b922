/* host.c - fill in an mm_error outside of the core, whose own way is private to it; the clock, a secret, bits.
 * SPDX-License-Identifier: MIT */
#include "state/host.h"
#include "base/clock.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

int mm_host_fail(mm_error *error, int code, const char *id, const char *format, ...) {
  if (!error) return code;
  *error = (mm_error){.code = code, .stage = -1, .place = -1, .row = -1};
  snprintf(error->id, sizeof(error->id), "%s", id);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->message, sizeof(error->message), format, arguments);
  va_end(arguments);
  return code;
}

double mm_host_clock(void) { return (double)mm_nanoseconds() * 1e-9; }

void mm_host_secret(uint8_t *bytes, int32_t size) {
  if (getrandom(bytes, (size_t)size, GRND_NONBLOCK) == size) return;
  uint64_t state = (uint64_t)mm_nanoseconds() ^ (uint64_t)(uintptr_t)&size; /* before the system has any */
  for (int32_t i = 0; i < size; i++) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    bytes[i] = (uint8_t)(state >> 56);
  }
}

int64_t mm_rows_pack(uint64_t *bits, const uint8_t *bytes, int64_t n) {
  int64_t count = 0;
  for (int64_t start = 0; start < n; start += 64) {
    uint8_t last[64] = {0};
    const uint8_t *from = bytes + start;
    if (n - start < 64) from = memcpy(last, from, (size_t)(n - start));
    uint64_t word = 0;
    for (int i = 0; i < 8; i++) {
      uint64_t eight;
      memcpy(&eight, from + 8 * i, 8);
      word |= (eight * UINT64_C(0x0102040810204080)) >> 56 << 8 * i; /* each byte's low bit, side by side */
    }
    bits[start / 64] = word;
    count += __builtin_popcountll(word);
  }
  return count;
}
