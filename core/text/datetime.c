/* datetime.c - dates, timestamps and durations from and to text, in the forms of ISO 8601.
 *
 * DESIGN. The calendar is the proleptic Gregorian one; years beyond 0000..9999 carry a sign (+10000-01-01,
 * -0044-03-15). Days are counted from 0000-03-01 while computing, so that a leap day is the last of its year.
 * SPDX-License-Identifier: MIT */
#include "text/datetime.h"
#include "text/digits.h"
#include "text/integer.h"
#include <stdbool.h>
#include <stdint.h>

enum { CYCLE_DAYS = 146097, EPOCH_DAYS = 719468 }; /* of 400 years; from 0000-03-01 to 1970-01-01 */

static const int64_t unit_scale[4] = {1, 1000, 1000000, 1000000000};

static inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static inline int64_t floor_mod(int64_t a, int64_t b) { return a % b + (a % b < 0 ? b : 0); }

/* ---- The calendar ---- */

void civil_from_days(int64_t days, int64_t *year, int *month, int *day) {
  int64_t cycle = floor_div(days + EPOCH_DAYS, CYCLE_DAYS);
  uint32_t left = (uint32_t)(days + EPOCH_DAYS - cycle * CYCLE_DAYS);
  /* Years are (1461 d + ...) / 4 and months (153 m + 2) / 5 days long; solved for the whole part. */
  uint32_t century = (4 * left + 3) / CYCLE_DAYS;
  left -= century * CYCLE_DAYS / 4;
  uint32_t in_century = (4 * left + 3) / 1461;
  left -= in_century * 1461 / 4;
  uint32_t from_march = (5 * left + 2) / 153;
  *day = (int)(left - (153 * from_march + 2) / 5) + 1;
  *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
  *year = cycle * 400 + century * 100 + in_century + (from_march >= 10);
}

int64_t days_from_civil(int64_t year, int month, int day) {
  year -= month <= 2;
  int64_t cycle = floor_div(year, 400);
  int64_t in_cycle = year - cycle * 400;
  int64_t from_march = month > 2 ? month - 3 : month + 9;
  int64_t in_year = (153 * from_march + 2) / 5 + day - 1;
  return cycle * CYCLE_DAYS + in_cycle * 365 + in_cycle / 4 - in_cycle / 100 + in_year - EPOCH_DAYS;
}

static int month_days(int64_t year, int month) {
  static const uint8_t days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return days[month] + (month == 2 && leap);
}

/* ---- From text ---- */

/* Eight characters less a pattern of '0' and marks: every digit at most 9, every mark 0. `slack` is 0x76 for a digit,
 * 0x7f for a mark. True when they fit; byte i of *pairs is then the number that digits i and i + 1 spell. */
static inline bool match(const char *text, const char *pattern, uint64_t slack, uint64_t *pairs) {
  uint64_t d = load_u64(text) ^ load_u64(pattern);
  *pairs = d * 10 + (d >> 8);
  return (((d + slack) | d) & BYTES(0x80)) == 0;
}

static inline int two_digits(const char *text) {
  unsigned a = (uint8_t)(text[0] - '0'), b = (uint8_t)(text[1] - '0');
  return a > 9 || b > 9 ? -1 : (int)(a * 10 + b);
}

static inline int check_date(int64_t year, int month, int day, int64_t *days) {
  if (month < 1 || month > 12 || day < 1 || (day > 28 && day > month_days(year, month))) return 2;
  *days = days_from_civil(year, month, day);
  return 0;
}

/* A year with a sign and at least four digits. Returns the characters of the date, or 0. */
static int64_t scan_signed_date(const char *text, int64_t size, int64_t *year, int *month, int *day) {
  int64_t sum = 0, i = 1;
  for (; i < size && (uint8_t)(text[i] - '0') <= 9; i++)
    if (sum < INT64_MAX / 100) sum = sum * 10 + (text[i] - '0');
  if (i < 5 || size - i < 6 || text[i] != '-' || text[i + 3] != '-') return 0;
  *year = *text == '-' ? -sum : sum;
  *month = two_digits(text + i + 1);
  *day = two_digits(text + i + 4);
  return *month < 0 || *day < 0 ? 0 : i + 6;
}

/* The date at the start of a text. *used: its characters. */
static inline int scan_date(const char *text, int64_t size, int64_t *days, int64_t *used) {
  if (size < 10) return 1;
  uint64_t pairs;
  int64_t year;
  int month, day;
  if (match(text, "0000-00-", UINT64_C(0x7f76767f76767676), &pairs)) {
    day = two_digits(text + 8);
    if (day < 0) return 1;
    year = (int64_t)(pairs & 0xff) * 100 + (int64_t)(pairs >> 16 & 0xff);
    month = (int)(pairs >> 40 & 0xff);
    *used = 10;
  } else {
    if (*text != '+' && *text != '-') return 1;
    *used = scan_signed_date(text, size, &year, &month, &day);
    if (!*used) return 1;
    if (year > INT64_C(300000000000) || year < -INT64_C(300000000000)) return 2; /* beyond seconds in 64 bits */
  }
  return check_date(year, month, day, days);
}

int parse_date(const char *text, int64_t size, int32_t *days) {
  int64_t sum, used;
  int status = scan_date(text, size, &sum, &used);
  if (status == 1 || used != size) return 1;
  if (status) return status;
  if (sum < INT32_MIN || sum > INT32_MAX) return 2;
  *days = (int32_t)sum;
  return 0;
}

/* Digits after a point as a number of units; 2 when digits that are not zero would be lost. */
static int scan_fraction(const char **at, const char *end, int unit, int64_t *fraction) {
  const char *start = *at;
  int64_t sum = 0, scale = unit_scale[unit];
  int status = 0;
  for (; *at < end && (uint8_t)(**at - '0') <= 9; ++*at) {
    scale /= 10;
    if (scale) sum += (**at - '0') * scale;
    else if (**at != '0') status = 2;
  }
  *fraction = sum;
  return *at == start ? 1 : status;
}

/* Nothing, Z or +HH:MM: seconds east. */
static int scan_offset(const char *at, const char *end, int64_t *seconds) {
  *seconds = 0;
  if (at == end || (end - at == 1 && *at == 'Z')) return 0;
  if (end - at != 6 || (*at != '+' && *at != '-') || at[3] != ':') return 1;
  int hours = two_digits(at + 1), minutes = two_digits(at + 4);
  if (hours < 0 || minutes < 0) return 1;
  if (hours > 23 || minutes > 59) return 2;
  *seconds = (*at == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
  return 0;
}

/* HH:MM[:SS[.fraction]] and an offset. */
static int scan_clock(const char *at, const char *end, int unit, int64_t *seconds, int64_t *fraction) {
  uint64_t pairs;
  int hours, minutes, second = 0, lost = 0;
  *fraction = 0;
  if (end - at >= 8 && match(at, "00:00:00", UINT64_C(0x76767f76767f7676), &pairs)) {
    hours = (int)(pairs & 0xff);
    minutes = (int)(pairs >> 24 & 0xff);
    second = (int)(pairs >> 48 & 0xff);
    at += 8;
    if (at < end && *at == '.') {
      at++;
      lost = scan_fraction(&at, end, unit, fraction);
      if (lost == 1) return 1;
    }
  } else {
    if (end - at < 5 || at[2] != ':') return 1;
    hours = two_digits(at);
    minutes = two_digits(at + 3);
    if (hours < 0 || minutes < 0) return 1;
    at += 5;
  }
  int64_t east;
  int status = scan_offset(at, end, &east);
  if (status) return status;
  if (hours > 23 || minutes > 59 || second > 59) return 2;
  *seconds = hours * 3600 + minutes * 60 + second - east;
  return lost;
}

int parse_timestamp(const char *text, int64_t size, int unit, int64_t *value) {
  int64_t days, used, seconds = 0, fraction = 0;
  int status = scan_date(text, size, &days, &used);
  if (status == 1) return 1;
  if (used != size) {
    if (text[used] != 'T' && text[used] != ' ') return 1;
    int clock = scan_clock(text + used + 1, text + size, unit, &seconds, &fraction);
    if (clock == 1 || (clock && !status)) return clock;
  }
  if (status) return status;
  __int128 sum = ((__int128)days * 86400 + seconds) * unit_scale[unit] + fraction;
  if (sum < INT64_MIN || sum > INT64_MAX) return 2;
  *value = (int64_t)sum;
  return 0;
}

/* ---- To text ---- */

static inline void put_two(char *text, int value) {
  text[0] = (char)('0' + value / 10);
  text[1] = (char)('0' + value % 10);
}

static char *put_date(char *at, int64_t days) {
  int64_t year;
  int month, day;
  civil_from_days(days, &year, &month, &day);
  if (year < 0 || year > 9999) {
    *at++ = year < 0 ? '-' : '+';
    year = year < 0 ? -year : year;
  }
  if (year > 9999) {
    at += format_i64(at, year);
  } else {
    put_two(at, (int)year / 100);
    put_two(at + 2, (int)year % 100);
    at += 4;
  }
  *at++ = '-';
  put_two(at, month);
  at[2] = '-';
  put_two(at + 3, day);
  return at + 5;
}

/* .fraction of `scale` units a second without zeros at the end; nothing for 0. */
static char *put_fraction(char *at, int64_t fraction, int64_t scale) {
  if (!fraction) return at;
  *at++ = '.';
  while (fraction) {
    scale /= 10;
    *at++ = (char)('0' + fraction / scale);
    fraction %= scale;
  }
  return at;
}

int format_date(char *text, int32_t days) { return (int)(put_date(text, days) - text); }

int format_timestamp(char *text, int64_t value, int unit) {
  int64_t scale = unit_scale[unit];
  int64_t seconds = floor_div(value, scale), days = floor_div(seconds, 86400);
  int clock = (int)floor_mod(seconds, 86400);
  char *at = put_date(text, days);
  *at = 'T';
  put_two(at + 1, clock / 3600);
  at[3] = ':';
  put_two(at + 4, clock / 60 % 60);
  at[6] = ':';
  put_two(at + 7, clock % 60);
  return (int)(put_fraction(at + 9, floor_mod(value, scale), scale) - text);
}

/* ---- Durations: [-]P[nW][nD][T[nH][nM][n[.fraction]S]] ---- */

int format_duration(char *text, int64_t value, int unit) {
  uint64_t scale = (uint64_t)unit_scale[unit];
  uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  uint64_t fraction = left % scale, seconds = left / scale;
  uint64_t days = seconds / 86400, hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;
  char *at = text;
  if (value < 0) *at++ = '-';
  *at++ = 'P';
  if (days) {
    at += format_u64(at, days);
    *at++ = 'D';
  }
  seconds %= 60;
  if (days && !hours && !minutes && !seconds && !fraction) return (int)(at - text);
  *at++ = 'T';
  if (hours) {
    at += format_u64(at, hours);
    *at++ = 'H';
  }
  if (minutes) {
    at += format_u64(at, minutes);
    *at++ = 'M';
  }
  if (seconds || fraction || value == 0) {
    at += format_u64(at, seconds);
    at = put_fraction(at, (int64_t)fraction, (int64_t)scale);
    *at++ = 'S';
  }
  return (int)(at - text);
}

/* Digits at *at; sums beyond 64 bits stop growing, and are far out of range by then. */
static int scan_count(const char **at, const char *end, int64_t *count) {
  const char *start = *at;
  *count = 0;
  for (; *at < end && (uint8_t)(**at - '0') <= 9; ++*at)
    if (*count < INT64_MAX / 100) *count = *count * 10 + (**at - '0');
  return *at == start;
}

int parse_duration(const char *text, int64_t size, int unit, int64_t *value) {
  static const char letters[] = "WDHMS"; /* in this order; T stands before H */
  static const int32_t seconds[] = {604800, 86400, 3600, 60, 1};
  const char *at = text, *end = text + size;
  bool negative = size > 0 && *at == '-', clock = false;
  if (size > 0 && (*at == '-' || *at == '+')) at++;
  if (at == end || *at++ != 'P' || at == end) return 1;
  __int128 sum = 0;
  int64_t fraction = 0;
  int lost = 0;
  for (int next = 0; at < end;) {
    if (*at == 'T' && !clock) {
      clock = true;
      if (next < 2) next = 2;
      if (++at == end) return 1;
    }
    int64_t count;
    if (scan_count(&at, end, &count)) return 1;
    bool point = at < end && *at == '.';
    if (point) {
      at++;
      lost = scan_fraction(&at, end, unit, &fraction);
      if (lost == 1) return 1;
    }
    while (next < 5 && at < end && *at != letters[next]) next++;
    if (at == end || next == 5 || (next >= 2) != clock || (point && next != 4)) return 1;
    sum += (__int128)count * seconds[next++];
    at++;
  }
  sum = sum * unit_scale[unit] + fraction;
  if (negative) sum = -sum;
  if (lost || sum < INT64_MIN || sum > INT64_MAX) return 2;
  *value = (int64_t)sum;
  return 0;
}
