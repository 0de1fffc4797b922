/* detached_call.h - calls without the GIL that Ctrl-C and a deadline interrupt.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"
#include "session.h"

/* A call without the GIL that polls signals and the deadline now and then: pass &call.pulse to it between begin and
 * end. When the pulse stops it, an exception is set. */
typedef struct detached_call {
  mm_pulse pulse;
  module_state *state;
  PyObject *watch; /* called now and then, and stops the call when it raises; NULL: none */
  PyThreadState *thread;
} detached_call;
void detached_call_begin(detached_call *call, module_state *state);
void detached_call_end(detached_call *call);
