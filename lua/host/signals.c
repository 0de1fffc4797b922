/* signals.c - Ctrl-C and its kin: the first cancels the job and lets it clean up, the second ends the process. All
 * other signals that end a process do so at once, but no temporary file stays behind.
 *
 * SPDX-License-Identifier: MIT */
#include "host.h"
#include "state.h"
#include <signal.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static _Atomic(mm_job *) current;
static _Atomic(mm_stage *) current_sink; /* of that job */
static atomic_int handling;              /* handlers that may hold the job's pointer now */
static volatile sig_atomic_t caught;

void mm_host_job(mm_job *job, mm_stage *sink) {
  if (job) atomic_store(&current_sink, sink);
  atomic_store(&current, job);
  while (atomic_load(&handling)) sched_yield(); /* a handler on another thread may still use the former job */
}

int32_t mm_host_signal(void) { return caught; }

static bool leaving;

void mm_host_leave(void) { leaving = true; }
bool mm_signals_leaving(void) { return leaving; }

enum { PATIENCE_MS = 300 }; /* timeout(1) and some terminals send one wish as two signals */
static atomic_llong caught_at;

/* Without a job there is nothing to clean up: the signal, blocked here, ends the process when the handler returns. */
static void on_signal(int number) {
  atomic_fetch_add(&handling, 1);
  mm_job *job = atomic_load(&current);
  if (job && !caught) {
    caught = number;
    atomic_store(&caught_at, mm_milliseconds());
    mm_job_cancel(job, MM_ECANCEL);
  } else if (!job || mm_milliseconds() - atomic_load(&caught_at) > PATIENCE_MS) {
    mm_stage *sink = atomic_load(&current_sink);
    if (job && sink) mm_sink_abandon(sink);
    signal(number, SIG_DFL);
    raise(number);
  }
  atomic_fetch_sub(&handling, 1);
}

/* The process dies of the signal, as it would without a handler: with its exit status, and its core file. */
static void on_fatal(int number) {
  atomic_fetch_add(&handling, 1);
  mm_stage *sink = atomic_load(&current_sink);
  if (atomic_load(&current) && sink) mm_sink_abandon(sink);
  mm_signals_die(number);
  atomic_fetch_sub(&handling, 1);
}

/* ---- The deadline ---- */

static void handle(int number, void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler};
  sigaction(number, &action, NULL);
}

static char last_words[1024];
static size_t last_size;
static int last_code;

static void on_alarm(int number) {
  (void)number;
  ssize_t written = write(STDERR_FILENO, last_words, last_size);
  (void)written;
  _exit(last_code);
}

void mm_host_deadline(double seconds, const char *text, int32_t code) {
  struct itimerval timer = {0};
  setitimer(ITIMER_REAL, &timer, NULL); /* none may fire while its words change */
  handle(SIGALRM, seconds > 0 ? on_alarm : on_fatal);
  if (!(seconds > 0)) return;
  last_size = strnlen(text, sizeof last_words);
  memcpy(last_words, text, last_size);
  last_code = code;
  if (seconds > 1e9) seconds = 1e9;
  timer.it_value.tv_sec = (time_t)seconds;
  timer.it_value.tv_usec = (suseconds_t)((seconds - (double)timer.it_value.tv_sec) * 1e6);
  setitimer(ITIMER_REAL, &timer, NULL);
}

/* Leaves alone what is ignored, and what a sanitizer handles. */
static void install_fatal(int number) {
  struct sigaction before;
  if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_DFL) handle(number, on_fatal);
}

void mm_signals_install(void) {
  static const int fatal[] = {SIGQUIT, SIGALRM, SIGUSR1,   SIGUSR2, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGPOLL,
                              SIGPWR,  SIGSYS,  SIGSTKFLT, SIGABRT, SIGSEGV, SIGBUS,  SIGFPE,    SIGILL};
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
  for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++) install_fatal(fatal[i]);
  for (int number = SIGRTMIN; number <= SIGRTMAX; number++) install_fatal(number);
  signal(SIGPIPE, SIG_IGN);
}

void mm_signals_die(int number) {
  signal(number, SIG_DFL);
  raise(number);
}
