/* thread_pool.c - the threads, those of them that wait for work, and the caller's wait. See thread_pool.h.
 * SPDX-License-Identifier: MIT */
#include "thread_pool.h"
#include "base/clock.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { IDLE_MS = 2000, BEAT_MS = 50, GRACE_MS = 1800 };

/* ---- Threads: one that is done waits some seconds for more ---- */

typedef struct work {
  void (*body)(void *context);
  void *context;
} work;

/* A thread, on its own stack. */
typedef struct waiter {
  pthread_cond_t wake;
  work next; /* body NULL: nothing to do */
  struct waiter *below;
} waiter;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static waiter *idle; /* a stack: who waited least is warmest */

static void leave_stack(const waiter *self) {
  for (waiter **at = &idle; *at; at = &(*at)->below) {
    if (*at != self) continue;
    *at = self->below;
    return;
  }
}

/* Put the thread onto the stack and wait; false: nothing came. */
static bool await(waiter *self) {
  struct timespec until = mm_moment_after(IDLE_MS);
  int waited = 0;
  pthread_mutex_lock(&mutex);
  self->next.body = NULL;
  self->below = idle;
  idle = self;
  while (!self->next.body && waited != ETIMEDOUT) waited = pthread_cond_timedwait(&self->wake, &mutex, &until);
  if (!self->next.body) leave_stack(self);
  pthread_mutex_unlock(&mutex);
  return self->next.body != NULL;
}

static void *run(void *first) {
  waiter self = {.next = *(work *)first};
  free(first);
  mm_cond_init(&self.wake);
  do self.next.body(self.next.context);
  while (await(&self));
  pthread_cond_destroy(&self.wake);
  return NULL;
}

static bool start(work task) {
  work *first = malloc(sizeof *first);
  if (!first) return false;
  *first = task;
  pthread_t thread;
  pthread_attr_t detached;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the host's threads */
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  int failed = pthread_create(&thread, &detached, run, first);
  pthread_attr_destroy(&detached);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed) free(first);
  return !failed;
}

/* In the child of a fork there is no thread but one. */
static void hold(void) { pthread_mutex_lock(&mutex); }
static void let_go(void) { pthread_mutex_unlock(&mutex); }
static void in_child(void) {
  idle = NULL;
  pthread_mutex_unlock(&mutex);
}
static void prepare_forks(void) { pthread_atfork(hold, let_go, in_child); }

/* False: there is no thread, and none can be started. */
static bool run_elsewhere(void (*body)(void *context), void *context) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, prepare_forks);
  pthread_mutex_lock(&mutex);
  waiter *found = idle;
  if (found) {
    idle = found->below;
    found->next = (work){body, context};
    pthread_cond_signal(&found->wake);
  }
  pthread_mutex_unlock(&mutex);
  return found || start((work){body, context});
}

/* ---- Calls ---- */

typedef struct call {
  mm_pool_task task;
  void *context;
  pid_t process;
  pthread_mutex_t mutex; /* both below */
  pthread_cond_t changed;
  bool done, left; /* left: the pool's thread frees the call; else the caller */
} call;

static void free_call(call *c) {
  pthread_mutex_destroy(&c->mutex);
  pthread_cond_destroy(&c->changed);
  free(c);
}

static void perform(void *context) {
  call *c = context;
  c->task.body(c->context);
  pthread_mutex_lock(&c->mutex);
  c->done = true;
  bool left = c->left;
  pthread_cond_signal(&c->changed);
  pthread_mutex_unlock(&c->mutex);
  if (!left) return;
  c->task.discard(c->context);
  free_call(c);
}

/* Wait a little while; is it done? */
static bool wait_for(call *c) {
  struct timespec until = mm_moment_after(BEAT_MS);
  pthread_mutex_lock(&c->mutex);
  int waited = 0;
  while (!c->done && waited != ETIMEDOUT) waited = pthread_cond_timedwait(&c->changed, &c->mutex, &until);
  bool done = c->done;
  pthread_mutex_unlock(&c->mutex);
  return done;
}

/* Stop waiting; false: it was done at the last moment. */
static bool leave(call *c) {
  pthread_mutex_lock(&c->mutex);
  c->left = !c->done;
  bool left = c->left;
  pthread_mutex_unlock(&c->mutex);
  return left;
}

bool mm_pool_call(const mm_pool_task *task, void *context, const mm_pulse *pulse) {
  call *c = calloc(1, sizeof *c);
  if (c) {
    *c = (call){.task = *task, .context = context, .process = getpid()};
    pthread_mutex_init(&c->mutex, NULL);
    mm_cond_init(&c->changed);
  }
  if (!c || !run_elsewhere(perform, c)) {
    if (c) free_call(c);
    task->body(context);
    return true;
  }
  for (int64_t stopped_at = 0; !wait_for(c);) {
    if (!stopped_at && pulse && pulse->beat(pulse->context)) stopped_at = mm_milliseconds();
    if (c->process != getpid()) return false; /* the thread is in the parent */
    if (!stopped_at) continue;
    task->stop(context);
    if (mm_milliseconds() - stopped_at > GRACE_MS && leave(c)) return false;
  }
  free_call(c);
  return true;
}
