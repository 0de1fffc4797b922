/* time_fuzz.c - a date, timestamp or duration that was read from text reads back the same from what is written for it.
 * SPDX-License-Identifier: MIT */
#include "moonmill.h"
#include "text/datetime.h"
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) __builtin_trap();                                                                                \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  char *text = malloc(size ? size : 1), written[64]; /* nothing readable beyond it */
  int32_t days, days_again;
  int64_t value, again, n = (int64_t)size;
  memcpy(text, bytes, size);
  if (parse_date(text, n, &days) == 0) {
    int length = format_date(written, days);
    CHECK(length <= 40 && parse_date(written, length, &days_again) == 0 && days == days_again);
  }
  for (int unit = MM_SECONDS; unit <= MM_NANOS; unit++) {
    if (parse_timestamp(text, n, unit, &value) == 0) {
      int length = format_timestamp(written, value, unit);
      CHECK(length <= 40 && parse_timestamp(written, length, unit, &again) == 0 && value == again);
    }
    if (parse_duration(text, n, unit, &value) == 0) {
      int length = format_duration(written, value, unit);
      CHECK(length <= 40 && parse_duration(written, length, unit, &again) == 0 && value == again);
    }
  }
  free(text);
  return 0;
}
