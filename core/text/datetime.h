/* datetime.h - dates, timestamps and durations from and to text, and the calendar. No locale, no allocation.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdint.h>

/* Answers are those of the parsers in integer.h; the formatters return the length, at most 40. */
int parse_date(const char *text, int64_t size, int32_t *days); /* YYYY-MM-DD */
/* YYYY-MM-DD, then T or a blank, HH:MM[:SS[.fraction]], then nothing, Z or +HH:MM; or the date alone. 2 also when
 * digits of the fraction would be lost in `unit`. */
int parse_timestamp(const char *text, int64_t size, int unit, int64_t *value);
/* ISO 8601 without years and months: PT1H30M, -P1DT0.5S. */
int parse_duration(const char *text, int64_t size, int unit, int64_t *value);
int format_date(char *text, int32_t days); /* ISO 8601 */
/* 2013-01-01T10:00:00, fraction only when not zero. */
int format_timestamp(char *text, int64_t value, int unit);
int format_duration(char *text, int64_t value, int unit); /* ISO 8601: PT1H30M */
/* Civil date of days since 1970-01-01, proleptic Gregorian, and back. */
void civil_from_days(int64_t days, int64_t *year, int *month, int *day);
int64_t days_from_civil(int64_t year, int month, int day);
