/* deadline.h - the moment at which what a thread does for its caller is stopped.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* When the work of a thread for its caller is stopped: script, plan, opening files and job together. `seconds`: the
 * timeout that the caller gave. */
typedef struct deadline { double until, seconds; } deadline;
const deadline *deadline_here(void); /* of this thread; NULL: none */
#define AT_ONCE 1e-9 /* seconds of a timeout of 0, as 0 stands for none */
/* A `timeout` of Python as seconds, 0 for none; -1 and an exception. */
int deadline_read(PyObject *timeout, double *seconds);
/* Always NULL. */
PyObject *deadline_raise(module_state *state, double seconds);
