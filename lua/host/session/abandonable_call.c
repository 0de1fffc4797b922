/* abandonable_call.c - calls on a thread of the process's pool, and the caller's wait. See abandonable_call.h.
 * SPDX-License-Identifier: MIT */
#include "session/abandonable_call.h"
#include "base/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { BEAT_MS = 50, GRACE_MS = 1800 };

typedef struct call {
  abandonable_call task;
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

static void perform_call(void *context) {
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
static bool leave_call(call *c) {
  pthread_mutex_lock(&c->mutex);
  c->left = !c->done;
  bool left = c->left;
  pthread_mutex_unlock(&c->mutex);
  return left;
}

bool abandonable_call_run(const abandonable_call *task, void *context, const mm_pulse *pulse) {
  call *c = calloc(1, sizeof *c);
  if (c) {
    *c = (call){.task = *task, .context = context, .process = getpid()};
    pthread_mutex_init(&c->mutex, NULL);
    mm_cond_init(&c->changed);
  }
  if (!c || mm_thread_run(perform_call, c) < 0) {
    if (c) free_call(c);
    task->body(context);
    return true;
  }
  for (int64_t stopped_at = 0; !wait_for(c);) {
    if (!stopped_at && pulse && pulse->beat(pulse->context)) stopped_at = mm_milliseconds();
    if (c->process != getpid()) return false; /* the thread is in the parent */
    if (!stopped_at) continue;
    task->stop(context);
    if (mm_milliseconds() - stopped_at > GRACE_MS && leave_call(c)) return false;
  }
  free_call(c);
  return true;
}
