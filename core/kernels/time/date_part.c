/* date_part.c - parts of dates and timestamps (year .. week), and casts between the two.
 *
 * DESIGN. Everything is floor division by constants, right also before 1970: each kernel has one loop per unit. Days
 * are counted from a far 1 March, so that 32-bit arithmetic gives the year; days beyond NEAR are brought near by whole
 * cycles of 400 years first. A timestamp becomes the date of its day (in UTC), whatever its time: that loses the time,
 * not the day, and is no error.
 * SPDX-License-Identifier: MIT */
#include "kernels/time/date_part.h"
#include "base/compiler.h"

enum {
  CYCLE = 146097, /* days of 400 years */
  NEAR_CYCLES = 1836,
  NEAR = NEAR_CYCLES * CYCLE, /* days: 734000 years */
  FIRST_MARCH = 719468 + NEAR /* days from the first day counted to 1970-01-01 */
};

static const int64_t unit_scale[4] = {1, 1000, 1000000, 1000000000};

static inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static inline int64_t floor_mod(int64_t a, int64_t b) { return a % b + (a % b < 0 ? b : 0); }

typedef struct civil {
  int64_t year;
  uint32_t month, day, yearday;
} civil;

ALWAYS_INLINE civil civil_of(int64_t days) {
  int64_t years = 0;
  if (__builtin_expect(days < -NEAR || days > NEAR, 0)) {
    int64_t cycles = floor_div(days, CYCLE);
    days -= cycles * CYCLE;
    years = cycles * 400;
  }
  uint32_t left = (uint32_t)(days + FIRST_MARCH);
  uint32_t century = (4 * left + 3) / CYCLE;
  left -= century * CYCLE / 4;
  uint32_t in_century = (4 * left + 3) / 1461;
  left -= in_century * 1461 / 4;
  uint32_t from_march = (5 * left + 2) / 153;
  bool next = from_march >= 10; /* January and February */
  uint32_t year = century * 100 + in_century;
  bool leap = in_century ? in_century % 4 == 0 : century % 4 == 0;
  return (civil){.year = years + (int64_t)(year + next) - NEAR_CYCLES * 400,
                 .month = next ? from_march - 9 : from_march + 3,
                 .day = left - (153 * from_march + 2) / 5 + 1,
                 .yearday = next ? left - 305 : left + 60 + leap};
}

/* Monday 1 to Sunday 7. */
static inline int64_t weekday(int64_t days) { return floor_mod(days + 3, 7) + 1; }

/* The ISO week is that of its Thursday. */
static inline int64_t week(int64_t days) { return (civil_of(days + 4 - weekday(days)).yearday - 1) / 7 + 1; }

ALWAYS_INLINE int64_t part_of_day(int op, int64_t days) {
  switch (op) {
  case OP_YEAR: return civil_of(days).year;
  case OP_MONTH: return civil_of(days).month;
  case OP_DAY: return civil_of(days).day;
  case OP_WEEKDAY: return weekday(days);
  case OP_YEARDAY: return civil_of(days).yearday;
  default: return week(days);
  }
}

ALWAYS_INLINE int64_t part_of_time(int op, int64_t value, int64_t scale) {
  switch (op) {
  case OP_HOUR: return floor_mod(value, 86400 * scale) / (3600 * scale);
  case OP_MINUTE: return floor_mod(value, 3600 * scale) / (60 * scale);
  case OP_SECOND: return floor_mod(value, 60 * scale) / scale;
  default: return part_of_day(op, floor_div(value, 86400 * scale));
  }
}

ALWAYS_INLINE int each_time(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, int op, int64_t scale) {
  const int64_t *x = a->data;
  int64_t *out = dst->data;
  for (int64_t i = 0; i < lanes->n; i++) out[i] = part_of_time(op, x[i], scale);
  return 0;
}

ALWAYS_INLINE int each_moment(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, int op) {
  if (lanes->instr->type == MM_DATE) {
    const int32_t *x = a->data;
    int64_t *out = dst->data;
    for (int64_t i = 0; i < lanes->n; i++) out[i] = part_of_day(op, x[i]);
    return 0;
  }
  switch (lanes->types[lanes->instr->a].unit) {
  case MM_SECONDS: return each_time(lanes, dst, a, op, 1);
  case MM_MILLIS: return each_time(lanes, dst, a, op, 1000);
  case MM_MICROS: return each_time(lanes, dst, a, op, 1000000);
  default: return each_time(lanes, dst, a, op, 1000000000);
  }
}

#define PARTS_OF_DAY(X)                                                                                                \
  X(YEAR, year_part)                                                                                                   \
  X(MONTH, month_part)                                                                                                 \
  X(DAY, day_part) X(WEEKDAY, weekday_part) X(YEARDAY, yearday_part) X(WEEK, week_part)
#define PARTS_OF_TIME(X) X(HOUR, hour_part) X(MINUTE, minute_part) X(SECOND, second_part)
#define PART(OP, name)                                                                                                 \
  static int name(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,                   \
                  const lane_vector *c) {                                                                              \
    (void)b, (void)c;                                                                                                  \
    return each_moment(lanes, dst, a, OP_##OP);                                                                        \
  }
PARTS_OF_DAY(PART)
PARTS_OF_TIME(PART)

#define OF_BOTH(OP, name) {OP_##OP, MM_DATE, MM_NULL, name, NULL}, OF_TIMESTAMP(OP, name)
#define OF_TIMESTAMP(OP, name) {OP_##OP, MM_TIMESTAMP, MM_NULL, name, NULL},
static const kernel_entry entries[] = {PARTS_OF_DAY(OF_BOTH) PARTS_OF_TIME(OF_TIMESTAMP)};

kernel_function date_part_kernels(const kernel_key *key) { return kernel_table_find(KERNEL_TABLE(entries), key); }

/* ---- Casts ---- */

static int date_of_timestamp(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                             const lane_vector *c) {
  (void)b, (void)c;
  int64_t day = 86400 * unit_scale[lanes->types[lanes->instr->a].unit];
  const int64_t *x = a->data;
  int32_t *out = dst->data;
  int failed = 0;
  for (int64_t i = 0; i < lanes->n; i++) {
    int64_t days = floor_div(x[i], day);
    out[i] = (int32_t)days;
    if (out[i] == days) continue;
    lane_fail(lanes, i);
    failed = 1;
  }
  return failed;
}

static int timestamp_of_date(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                             const lane_vector *c) {
  (void)b, (void)c;
  int64_t day = 86400 * unit_scale[lanes->types[lanes->instr->dst].unit];
  const int32_t *x = a->data;
  int64_t *out = dst->data;
  int failed = 0;
  for (int64_t i = 0; i < lanes->n; i++) {
    if (!__builtin_mul_overflow(x[i], day, &out[i])) continue;
    lane_fail(lanes, i);
    failed = 1;
  }
  return failed;
}

kernel_function date_cast_kernel(int type, int type2) {
  if (type == MM_DATE && type2 == MM_TIMESTAMP) return date_of_timestamp;
  if (type == MM_TIMESTAMP && type2 == MM_DATE) return timestamp_of_date;
  return NULL;
}
