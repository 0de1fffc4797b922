/* abandonable_call.h - calls on another thread, which their caller can leave behind.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "state/host.h"

/* What is called. All three get one context. */
typedef struct abandonable_call {
  void (*body)(void *context);    /* on a thread of the pool, whose signals are blocked */
  void (*stop)(void *context);    /* make the body return soon; on the caller's thread, again and again */
  void (*discard)(void *context); /* after the body, when the caller has left: it then owns the context */
} abandonable_call;

/* Call the body and wait. The pulse (NULL: none) beats some twenty times a second; when it says stop the body is told
 * to stop. False: it did not within 1.8 s, and was left behind, or this is the child of a fork that the pulse made.
 * Without a thread the body runs on the caller's. */
bool abandonable_call_run(const abandonable_call *task, void *context, const mm_pulse *pulse);
