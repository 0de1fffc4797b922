/* signals.c - Ctrl-C and other signals: the first cancels the job and lets it clean up, the second ends the process.
 * All other signals that end a process do so at once, but no temporary file stays behind.
 *
 * SPDX-License-Identifier: MIT */
#include "command/command.h"
#include "command/signals.h"
#include <math.h>
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

/* Of no other job: that of a former one may be gone. */
static void abandon_output(void) {
  mm_stage *sink = atomic_load(&current_sink);
  if (atomic_load(&current) && sink) mm_sink_abandon(sink);
}

enum { PATIENCE_MS = 300 }; /* timeout(1) and some terminals send two signals for one request */
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
    abandon_output();
    mm_signals_die(number);
  }
  atomic_fetch_sub(&handling, 1);
}

/* The process dies of the signal, as it would without a handler: with its exit status, and its core file. */
static void on_fatal(int number) {
  atomic_fetch_add(&handling, 1);
  abandon_output();
  mm_signals_die(number);
  atomic_fetch_sub(&handling, 1);
}

/* ---- The deadline: of the script, the plan, the opening of files and the job together ---- */

static void handle_signal(int number, void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler};
  sigaction(number, &action, NULL);
}

/* Seconds from the deadline on that what runs gets to stop; then the process ends. */
#define GRACE_S 1.8

static _Atomic(lua_State *) interruptible; /* the command's state, once there is a deadline */
static volatile sig_atomic_t expired;
static atomic_bool opening; /* files, by who looks at the clock */
static double deadline = HUGE_VAL;
static char last_words[1024];
static size_t last_size;
static int last_code;

static void ring_after(double seconds) {
  struct itimerval timer = {0};
  if (seconds > 1e9) seconds = 1e9;
  timer.it_value.tv_sec = (time_t)seconds;
  timer.it_value.tv_usec = (suseconds_t)((seconds - (double)timer.it_value.tv_sec) * 1e6);
  if (timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0) timer.it_value.tv_usec = 1; /* 0 would disarm it */
  setitimer(ITIMER_REAL, &timer, NULL);
}

static void say_last_words(void) {
  abandon_output();
  ssize_t written = write(STDERR_FILENO, last_words, last_size);
  (void)written;
}

/* At the deadline: a job is cancelled by who waits for it; anything else is Lua, which gets a hook. Some time later:
 * the end, wherever the process is. */
static void on_alarm(int number) {
  (void)number;
  if (expired) {
    say_last_words();
    _exit(last_code);
  }
  expired = 1;
  ring_after(GRACE_S);
  if (!atomic_load(&current) && !atomic_load(&opening))
    lua_sethook(atomic_load(&interruptible), mm_state_stop, LUA_MASKCOUNT, 1);
}

void mm_signals_interruptible(lua_State *L) { atomic_store(&interruptible, L); }

int mm_signals_expired(void) {
  if (!expired) return 0;
  say_last_words();
  return last_code;
}

void mm_host_deadline(double seconds, const char *text, int32_t code) {
  deadline = mm_host_clock() + seconds;
  last_size = strnlen(text, sizeof last_words);
  memcpy(last_words, text, last_size);
  last_code = code;
  handle_signal(SIGALRM, on_alarm);
  ring_after(seconds);
}

void mm_host_opening(bool now) { atomic_store(&opening, now); }
double mm_host_left(void) { return deadline - mm_host_clock(); }

/* Leaves alone what is ignored, and what a sanitizer handles. */
static void install_fatal(int number) {
  struct sigaction before;
  if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_DFL) handle_signal(number, on_fatal);
}

void mm_signals_install(void) {
  static const int fatal[] = {SIGQUIT, SIGALRM, SIGUSR1,   SIGUSR2, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGPOLL,
                              SIGPWR,  SIGSYS,  SIGSTKFLT, SIGABRT, SIGSEGV, SIGBUS,  SIGFPE,    SIGILL,  SIGTRAP};
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
    struct sigaction before;
    if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN) continue; /* nohup */
    handle_signal(numbers[i], on_signal);
  }
  for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++) install_fatal(fatal[i]);
  for (int number = SIGRTMIN; number <= SIGRTMAX; number++) install_fatal(number);
  signal(SIGPIPE, SIG_IGN);
}

void mm_signals_die(int number) {
  signal(number, SIG_DFL);
  raise(number);
}
