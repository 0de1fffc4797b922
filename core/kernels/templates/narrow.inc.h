/* narrow.inc.h - 64 lanes of i64, u64 or f64 to an integer type, in the three ways of a cast. Needs SUFFIX, T, LOW,
 * HIGH and END, the first double above HIGH. Values are made safe before they are converted: an out of range conversion
 * is undefined.
 * SPDX-License-Identifier: MIT */
#define FROM(how, wide) PASTE(PASTE(how, SUFFIX), wide)

#define NARROW(name, S, fails, safe, value)                                                                            \
  static uint64_t name(void *to, const void *from) {                                                                   \
    T *restrict out = to;                                                                                              \
    const S *from_x = from;                                                                                            \
    uint8_t bad[LANES];                                                                                                \
    for (int i = 0; i < LANES; i++) {                                                                                  \
      S x = from_x[i];                                                                                                 \
      bool failed = (fails);                                                                                           \
      bad[i] = failed ? 0xFF : 0;                                                                                      \
      x = (safe);                                                                                                      \
      out[i] = (T)(value);                                                                                             \
    }                                                                                                                  \
    return pack_flags(bad);                                                                                            \
  }
#define SIGNED_HIGH ((uint64_t)HIGH > INT64_MAX ? INT64_MAX : (int64_t)HIGH)
NARROW(FROM(check, of_i64), int64_t, (x < (int64_t)LOW) | (x > SIGNED_HIGH), x, x)
NARROW(FROM(wrap, of_i64), int64_t, false, x, x)
NARROW(FROM(saturate, of_i64), int64_t, false, x, x<(int64_t)LOW ? (int64_t)LOW : x> SIGNED_HIGH ? SIGNED_HIGH : x)
NARROW(FROM(check, of_u64), uint64_t, x > (uint64_t)HIGH, x, x)
NARROW(FROM(wrap, of_u64), uint64_t, false, x, x)
NARROW(FROM(saturate, of_u64), uint64_t, false, x, x > (uint64_t)HIGH ? (uint64_t)HIGH : x)
NARROW(FROM(check, of_f64), double, !((x >= (double)LOW) & (x < END) & (x == trunc(x))), failed ? 0.0 : x, x)
NARROW(FROM(wrap, of_f64), double, !(fabs(x) <= DBL_MAX), failed ? 0.0 : x, wrapped(x))
NARROW(FROM(saturate, of_f64), double, x != x, failed ? 0.0 : x, x < (double)LOW ? (T)LOW : x >= END ? (T)HIGH : (T)x)
#undef SIGNED_HIGH
#undef NARROW
#undef FROM
#undef SUFFIX
#undef T
#undef LOW
#undef HIGH
#undef END
