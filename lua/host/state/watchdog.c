/* watchdog.c - the thread that looks after calls of Lua, and the hook that it sets. See watchdog.h.
 * SPDX-License-Identifier: MIT */
#include "state/watchdog.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

enum { LOOK_MS = 5, REST_LOOKS = 200 }; /* without calls the thread ends after so many looks */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* the list and the start of the thread */
static mm_watchdog *watches;
static atomic_bool awake; /* the thread is there, and will look again */
static char registry_key;

/* ---- On the thread of the call ---- */

/* A hook may be seen before the thread that sets it has said so. */
static int settled_phase(mm_watchdog *watch) {
  int phase;
  while ((phase = atomic_load(&watch->phase)) == MM_WATCHDOG_HOOKING) sched_yield();
  return phase;
}

/* The hook of a call that lasts: let the caller's pulse beat, then go on, or stop for good. */
static void pulse_hook(lua_State *L, lua_Debug *event) {
  lua_pushlightuserdata(L, &registry_key);
  lua_rawget(L, LUA_REGISTRYINDEX);
  mm_watchdog *watch = lua_touserdata(L, -1);
  lua_pop(L, 1);
  settled_phase(watch);
  if (watch->pulse && watch->pulse->beat(watch->pulse->context)) atomic_store(&watch->phase, MM_WATCHDOG_STOPPING);
  lua_sethook(L, NULL, 0, 0);
  int expected = MM_WATCHDOG_HOOKED;
  if (atomic_compare_exchange_strong(&watch->phase, &expected, MM_WATCHDOG_RUNNING)) return;
  lua_sethook(L, mm_state_stop, LUA_MASKCOUNT, 1); /* again and again, until Lua has been left */
  mm_state_stop(L, event);
}

static void wake_thread(void);

int mm_watchdog_call(mm_watchdog *watch, int arguments, int results, int handler, const mm_pulse *pulse,
                     bool *stopped) {
  lua_State *L = watch->L;
  watch->pulse = pulse;
  unsigned calls = atomic_load_explicit(&watch->calls, memory_order_relaxed);
  atomic_store_explicit(&watch->calls, calls + 1, memory_order_relaxed);
  atomic_store(&watch->phase, MM_WATCHDOG_RUNNING);
  if (pulse && !atomic_load(&awake)) wake_thread();
  int status = lua_pcall(L, arguments, results, handler);
  int phase = MM_WATCHDOG_RUNNING;
  *stopped = false;
  if (atomic_compare_exchange_strong(&watch->phase, &phase, MM_WATCHDOG_IDLE)) return status;
  *stopped = settled_phase(watch) == MM_WATCHDOG_STOPPING;
  lua_sethook(L, NULL, 0, 0);
  atomic_store(&watch->phase, MM_WATCHDOG_IDLE);
  return status;
}

/* ---- On other threads ---- */

void mm_watchdog_stop(mm_watchdog *watch) {
  for (;;) {
    int phase = atomic_load(&watch->phase);
    if (phase == MM_WATCHDOG_IDLE || phase == MM_WATCHDOG_STOPPING) return;
    if (phase == MM_WATCHDOG_HOOKED && atomic_compare_exchange_strong(&watch->phase, &phase, MM_WATCHDOG_STOPPING))
      return;
    if (phase == MM_WATCHDOG_RUNNING && atomic_compare_exchange_strong(&watch->phase, &phase, MM_WATCHDOG_HOOKING)) {
      lua_sethook(watch->L, mm_state_stop, LUA_MASKCOUNT, 1);
      atomic_store(&watch->phase, MM_WATCHDOG_STOPPING);
      return;
    }
    sched_yield();
  }
}

/* Look at all states; true when one of them has been at work since the last look. */
static bool look_at_states(void) {
  bool busy = false;
  for (mm_watchdog *watch = watches; watch; watch = watch->next) {
    unsigned calls = atomic_load_explicit(&watch->calls, memory_order_relaxed);
    int phase = atomic_load(&watch->phase);
    bool lasting = phase == MM_WATCHDOG_RUNNING && calls == watch->seen && watch->pulse;
    busy = busy || phase != MM_WATCHDOG_IDLE || calls != watch->seen;
    watch->seen = calls;
    if (!lasting || !atomic_compare_exchange_strong(&watch->phase, &phase, MM_WATCHDOG_HOOKING)) continue;
    lua_sethook(watch->L, pulse_hook, LUA_MASKCOUNT, 1);
    atomic_store(&watch->phase, MM_WATCHDOG_HOOKED);
  }
  return busy;
}

static bool any_running(void) {
  for (mm_watchdog *watch = watches; watch; watch = watch->next) {
    if (atomic_load(&watch->phase) != MM_WATCHDOG_IDLE) return true;
  }
  return false;
}

static void *look_after(void *unused) {
  (void)unused;
  const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
  for (int rest = 0; rest < REST_LOOKS;) {
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&mutex);
    rest = look_at_states() ? 0 : rest + 1;
    if (rest == REST_LOOKS) {
      atomic_store(&awake, false);
      if (any_running()) { /* it began before it could see that the thread is asleep */
        atomic_store(&awake, true);
        rest = 0;
      }
    }
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}

/* Without the thread calls work, but no pulse beats: another call will try again. */
static void wake_thread(void) {
  pthread_mutex_lock(&mutex);
  if (!atomic_load(&awake)) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the host's threads */
    pthread_t thread;
    atomic_store(&awake, true);
    if (pthread_create(&thread, NULL, look_after, NULL) == 0) pthread_detach(thread);
    else atomic_store(&awake, false);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
  pthread_mutex_unlock(&mutex);
}

/* ---- The list, and forks ---- */

static void before_fork(void) { pthread_mutex_lock(&mutex); }
static void after_fork(void) { pthread_mutex_unlock(&mutex); }
static void in_child(void) {
  atomic_store(&awake, false);
  for (mm_watchdog *watch = watches; watch; watch = watch->next) watch->forked(watch);
  pthread_mutex_unlock(&mutex);
}

static void prepare_forks(void) { pthread_atfork(before_fork, after_fork, in_child); }

void mm_watchdog_add(mm_watchdog *watch) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, prepare_forks);
  pthread_mutex_lock(&mutex);
  watch->next = watches;
  watches = watch;
  pthread_mutex_unlock(&mutex);
}

void mm_watchdog_remove(mm_watchdog *watch) {
  pthread_mutex_lock(&mutex);
  for (mm_watchdog **at = &watches; *at; at = &(*at)->next) {
    if (*at != watch) continue;
    *at = watch->next;
    break;
  }
  pthread_mutex_unlock(&mutex);
}

/* ---- The state's side ---- */

void mm_watchdog_bind(mm_watchdog *watch, lua_State *L) {
  watch->L = L;
  if (!L) return;
  lua_pushlightuserdata(L, &registry_key);
  lua_pushlightuserdata(L, watch);
  lua_rawset(L, LUA_REGISTRYINDEX);
}
