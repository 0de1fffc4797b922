/* scripts.h - the session of the module, and calls into it that can be interrupted.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"
#include "session.h"

/* A call without the GIL that comes back for signals now and then: give &away.pulse to the session between begin and
 * end. */
typedef struct mm_away {
  mm_pulse pulse;
  PyThreadState *thread;
} mm_away;
void mm_away_begin(mm_away *away);
void mm_away_end(mm_away *away);

/* The bytes of a str, which live as long as it; -1 and an exception. */
int mm_text_read(module_state *state, PyObject *text, const char *what, mm_text *to);

/* The session, made when it is first asked for; NULL and an exception. */
mm_session *mm_session_here(module_state *state);
/* Its Lua frees what nothing refers to any more; -1 and an exception. Nothing where there is no session, or this thread
 * is inside. */
int mm_session_collect(module_state *state);
/* Raise what a call of a session told; the buffer is emptied. Always NULL. An exception of a signal's handler comes
 * first. */
PyObject *mm_session_raise(module_state *state, mm_session *session, mm_buffer *failures, const mm_error *error);
