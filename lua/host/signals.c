/* signals.c - Ctrl-C and its kin: the first cancels the job and lets it clean up, the second ends the process.
 *
 * SPDX-License-Identifier: MIT */
#include "host.h"
#include "state.h"
#include <signal.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

static _Atomic(mm_job *) current;
static atomic_int handling; /* handlers that may hold the job's pointer now */
static volatile sig_atomic_t caught;

void mm_host_job(mm_job *job) {
  atomic_store(&current, job);
  while (atomic_load(&handling)) sched_yield(); /* a handler on another thread may still use the former job */
}

int32_t mm_host_signal(void) { return caught; }

static bool leaving;

void mm_host_leave(void) { leaving = true; }
bool mm_signals_leaving(void) { return leaving; }

enum { PATIENCE_MS = 300 }; /* timeout(1) and some terminals send one wish as two signals */
static atomic_llong caught_at;

static long long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Without a job there is nothing to clean up: the signal, blocked here, ends the process when the handler returns. */
static void on_signal(int number) {
  atomic_fetch_add(&handling, 1);
  mm_job *job = atomic_load(&current);
  if (job && !caught) {
    caught = number;
    atomic_store(&caught_at, milliseconds());
    mm_job_cancel(job, MM_ECANCEL);
  } else if (!job || milliseconds() - atomic_load(&caught_at) > PATIENCE_MS) {
    signal(number, SIG_DFL);
    raise(number);
  }
  atomic_fetch_sub(&handling, 1);
}

void mm_signals_install(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
    struct sigaction before;
    if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN) continue; /* nohup */
    sigaction(numbers[i], &action, NULL);
  }
  signal(SIGPIPE, SIG_IGN);
}

void mm_signals_die(int number) {
  signal(number, SIG_DFL);
  raise(number);
}
