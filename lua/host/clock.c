/* clock.c - the time that passes, for limits and progress.
 * SPDX-License-Identifier: MIT */
#include "host.h"
#include <time.h>

double mm_host_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
