/* scalar.c - the row functions of bench.py as plain C loops, the measure for compiled Lua: built with gcc -O2, run over
 * the same values.
 * SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 8192 };

static double straight(double x) { return x * 2 + 1; }
static double branchy(double x) {
  if (x > 60) return x * 3;
  if (x > 15) return x + 7;
  return 0 - x;
}

/* The work that Moonmill does for `:map("y: f64", f) :group({}, "s = sum(y)")`: a batch of results, then its sum. */
#define LOOP(f)                                                                                                        \
  static double run_##f(const double *x, int64_t n) {                                                                  \
    static double y[BATCH];                                                                                            \
    double sum = 0;                                                                                                    \
    for (int64_t start = 0; start < n; start += BATCH) {                                                               \
      int64_t count = n - start < BATCH ? n - start : BATCH;                                                           \
      for (int64_t i = 0; i < count; i++) y[i] = f(x[start + i]);                                                      \
      for (int64_t i = 0; i < count; i++) sum += y[i];                                                                 \
    }                                                                                                                  \
    return sum;                                                                                                        \
  }
LOOP(straight)
LOOP(branchy)

/* scalar NAME ROWS: prints the rows when it is ready, then for each line of stdin a run's seconds and sum. The values
 * are those of memory.lua. */
int main(int count, char **arguments) {
  if (count != 3) return 2;
  int64_t rows = atoll(arguments[2]);
  double *x = aligned_alloc(64, (size_t)rows * sizeof *x);
  if (!x) return 6;
  uint64_t state = 88172645463325252u;
  for (int64_t i = 0; i < rows; i++) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    x[i] = (double)(state >> 11) / 9007199254740992.0 * 100;
  }
  printf("%lld\n", (long long)rows);
  fflush(stdout);
  for (int byte; (byte = getchar()) != EOF;) {
    if (byte != '\n') continue;
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    double sum = strcmp(arguments[1], "straight") == 0 ? run_straight(x, rows) : run_branchy(x, rows);
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("%.6f %.17g\n", (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9, sum);
    fflush(stdout);
  }
  free(x);
  return 0;
}
