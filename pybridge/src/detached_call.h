/* detached_call.h - calls without the GIL that Ctrl-C and a deadline interrupt.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"
#include "session.h"

/* A call without the GIL that comes back for signals and the deadline now and then: give &away.pulse to it between begin
 * and end. An answer that stops it has set an exception. */
typedef struct mm_away {
  mm_pulse pulse;
  module_state *state;
  PyObject *watch; /* called now and then, and stops the call when it raises; NULL: none */
  PyThreadState *thread;
} mm_away;
void mm_away_begin(mm_away *away, module_state *state);
void mm_away_end(mm_away *away);
