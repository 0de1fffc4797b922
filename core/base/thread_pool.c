/* thread_pool.c - the threads of the process: one whose work is done waits some seconds for more.
 *
 * DESIGN. Idle threads are a stack: the one that has waited least still has its caches, and those below it end when
 * nothing has come for IDLE_MS. No thread is kept for a caller, so that a thread that user code never leaves is missed
 * by none. In the child of a fork there is no thread but the one that forked, and the stack is empty.
 *
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/clock.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>

enum { IDLE_MS = 2000, STACK = 8 << 20 };

typedef struct task {
  void (*body)(void *argument);
  void *argument;
} task;

/* An idle thread, on its own stack. */
typedef struct idle_thread {
  pthread_cond_t wake;
  task next; /* body NULL: nothing to do */
  struct idle_thread *below;
} idle_thread;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static idle_thread *idle; /* the top of the stack */

static void hold_pool(void) { pthread_mutex_lock(&mutex); }
static void release_pool(void) { pthread_mutex_unlock(&mutex); }
static void forget_threads(void) {
  idle = NULL;
  pthread_mutex_unlock(&mutex);
}
__attribute__((constructor)) static void survive_forks(void) {
  pthread_atfork(hold_pool, release_pool, forget_threads);
}

static void leave_stack(const idle_thread *self) {
  for (idle_thread **at = &idle; *at; at = &(*at)->below) {
    if (*at != self) continue;
    *at = self->below;
    return;
  }
}

/* Put the thread onto the stack and wait; false: nothing came. */
static bool await_task(idle_thread *self) {
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

static void *run_tasks(void *first) {
  idle_thread self = {.next = *(task *)first};
  memory_release(first, sizeof(task));
  mm_cond_init(&self.wake);
  do self.next.body(self.next.argument);
  while (await_task(&self));
  pthread_cond_destroy(&self.wake);
  return NULL;
}

static int start_thread(task given) {
  task *first = memory_allocate(sizeof *first);
  if (!first) return -ENOMEM;
  *first = given;
  pthread_t thread;
  pthread_attr_t attributes;
  static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL}; /* of the thread itself: its host may report them */
  sigset_t every, before;
  int failed = pthread_attr_init(&attributes);
  if (!failed) {
    sigfillset(&every); /* signals are for the threads of the host, which knows what to do about them */
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&every, faults[i]);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    failed = pthread_create(&thread, &attributes, run_tasks, first);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
  if (failed) memory_release(first, sizeof *first);
  return -failed;
}

int mm_thread_run(void (*body)(void *argument), void *argument) {
  pthread_mutex_lock(&mutex);
  idle_thread *found = idle;
  if (found) {
    idle = found->below;
    found->next = (task){body, argument};
    pthread_cond_signal(&found->wake);
  }
  pthread_mutex_unlock(&mutex);
  return found ? 0 : start_thread((task){body, argument});
}
