/* detached_call.h - calls into sessions, and whatever else can be interrupted.
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

/* The moment at which what a thread does for its caller is stopped: the script, the plan, the opening of files, the job.
 * `seconds`: as the caller asked. */
typedef struct mm_deadline { double until, seconds; } mm_deadline;
const mm_deadline *mm_deadline_here(void); /* of this thread; NULL: none */
#define MM_AT_ONCE 1e-9 /* seconds of a timeout of 0, as 0 stands for none */
/* A `timeout` of Python as seconds, 0 for none; -1 and an exception. */
int mm_deadline_read(PyObject *timeout, double *seconds);
/* Always NULL. */
PyObject *mm_deadline_raise(module_state *state, double seconds);

/* The bytes of a str, which live as long as it; -1 and an exception. */
int mm_text_read(module_state *state, PyObject *text, const char *what, mm_text *to);

/* Raise what a call of a session told; the buffer is emptied. Always NULL. An exception of a signal's handler comes
 * first. */
PyObject *mm_session_raise(module_state *state, mm_buffer *failures, const mm_error *error);
