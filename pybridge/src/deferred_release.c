/* deferred_release.c - foreign owners are released under the GIL, whichever thread drops the last reference.
 *
 * DESIGN. A worker that drops a block pushes its owner on a lock-free stack. Releases, which may take the GIL or run
 * Python code, happen when the stack is drained: at every entry into the extension, after a table is freed, and by a
 * pending call of the interpreter. A thread that frees an object collects the owners it drops and releases them before
 * it continues, since another thread may be in the middle of draining the stack.
 *
 * SPDX-License-Identifier: MIT */
#include "deferred_release.h"

static _Atomic(foreign_owner *) waiting;
static atomic_bool asked; /* a pending call is under way */
static _Thread_local foreign_owner **collected;

static int drain_pending(void *unused) {
  (void)unused;
  atomic_store(&asked, false); /* the stack may be empty by now */
  deferred_release_drain();
  return 0;
}

void deferred_release_push(void *owner) {
  foreign_owner *o = owner;
  if (collected) {
    o->next = *collected;
    *collected = o;
    return;
  }
  o->next = atomic_load(&waiting);
  while (!atomic_compare_exchange_weak(&waiting, &o->next, o)) continue;
  if (!Py_IsInitialized()) return; /* too late to release it */
  if (!atomic_exchange(&asked, true) && Py_AddPendingCall(drain_pending, NULL) < 0) atomic_store(&asked, false);
}

void deferred_release_collect(foreign_owner **list) { collected = list; }

void deferred_release_run(foreign_owner *list) {
  collected = NULL;
  if (!list) return;
  PyObject *type, *value, *traceback; /* releasing may run Python code: an exception on its way stays what it is */
  PyErr_Fetch(&type, &value, &traceback);
  while (list) {
    foreign_owner *next = list->next;
    list->release(list);
    list = next;
  }
  PyErr_Restore(type, value, traceback);
}

void deferred_release_drain(void) {
  if (!atomic_load_explicit(&waiting, memory_order_relaxed)) return;
  atomic_store(&asked, false); /* also for a child that was forked while its parent had asked */
  deferred_release_run(atomic_exchange(&waiting, NULL));
}
