/* number_fuzz.c - numbers from text equal strtod, strtof and strtoll in the C locale; what is written reads back the
 * same.
 * SPDX-License-Identifier: MIT */
#include "text/parse_inline.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) __builtin_trap();                                                                                \
  } while (0)

static const char *digits(const char *at) {
  while (isdigit((unsigned char)*at)) at++;
  return at;
}

/* [sign] (digits [. [digits]] | . digits) [e [sign] digits], or inf, infinity, nan after the sign; to the end of the
 * text. */
static int is_float(const char *text, int64_t size) {
  const char *at = text + (*text == '+' || *text == '-');
  if (strcasecmp(at, "inf") == 0 || strcasecmp(at, "infinity") == 0 || strcasecmp(at, "nan") == 0) return 1;
  const char *whole = digits(at);
  int64_t count = whole - at;
  at = whole;
  if (*at == '.') {
    const char *end = digits(at + 1);
    count += end - (at + 1);
    at = end;
  }
  if (count == 0) return 0;
  if (*at == 'e' || *at == 'E') {
    at++;
    if (*at == '+' || *at == '-') at++;
    if (digits(at) == at) return 0;
    at = digits(at);
  }
  return at == text + size;
}

static int is_integer(const char *text, int64_t size) {
  const char *at = text + (*text == '+' || *text == '-');
  return isdigit((unsigned char)*at) && digits(at) == text + size;
}

static int same_f64(double a, double b) { return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0; }
static int same_f32(float a, float b) { return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0; }

static int is_word(const char *text) { return strpbrk(text, "nN") != NULL; } /* inf, nan */

static void check_floats(const char *text, const char *exact, int64_t size) {
  double value = 0, quick = 0, again;
  float narrow = 0, narrow_again;
  char written[64];
  int status = parse_f64(exact, size, &value), status32 = parse_f32(exact, size, &narrow);
  CHECK(quick_parse_f64(text, size, &quick) == status && (status || same_f64(value, quick)));
  if (!is_float(text, size)) {
    CHECK(status == 1 && status32 == 1);
    return;
  }
  double want = strtod(text, NULL);
  float want32 = strtof(text, NULL);
  CHECK(isinf(want) && !is_word(text) ? status == 2 : status == 0 && same_f64(value, want));
  CHECK(isinf(want32) && !is_word(text) ? status32 == 2 : status32 == 0 && same_f32(narrow, want32));
  if (status == 0) {
    int n = format_f64(written, value);
    CHECK(n <= 40 && parse_f64(written, n, &again) == 0 && same_f64(value, again));
  }
  if (status32 == 0) {
    int n = format_f32(written, narrow);
    CHECK(n <= 40 && parse_f32(written, n, &narrow_again) == 0 && same_f32(narrow, narrow_again));
  }
}

static void check_integers(const char *text, const char *exact, int64_t size) {
  int64_t value = 0, quick = 0;
  uint64_t whole = 0;
  char written[64];
  int status = parse_i64(exact, size, &value), unsigned_status = parse_u64(exact, size, &whole);
  CHECK(quick_parse_i64(text, size, &quick) == status && (status || value == quick));
  if (!is_integer(text, size)) {
    CHECK(status == 1 && unsigned_status == 1);
    return;
  }
  errno = 0;
  long long want = strtoll(text, NULL, 10);
  CHECK(errno == ERANGE ? status == 2 : status == 0 && value == want);
  errno = 0;
  unsigned long long want_unsigned = strtoull(text, NULL, 10);
  if (*text == '-' && want_unsigned != 0) CHECK(unsigned_status == 2);
  else CHECK(errno == ERANGE ? unsigned_status == 2 : unsigned_status == 0 && whole == want_unsigned);
  if (status == 0)
    CHECK(format_i64(written, value) > 0 && parse_i64(written, format_i64(written, value), &quick) == 0
          && quick == value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (size > 2000 || memchr(bytes, 0, size)) return 0; /* what strtod can be asked */
  char *text = calloc(size + 17, 1), *exact = malloc(size ? size : 1);
  memcpy(text, bytes, size);
  memcpy(exact, bytes, size); /* nothing readable beyond it */
  check_floats(text, exact, (int64_t)size);
  check_integers(text, exact, (int64_t)size);
  free(text);
  free(exact);
  return 0;
}
