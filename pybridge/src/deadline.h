/* deadline.h - the moment at which what a thread does for its caller is stopped.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* The moment at which what a thread does for its caller is stopped: the script, the plan, the opening of files, the job.
 * `seconds`: as the caller asked. */
typedef struct mm_deadline { double until, seconds; } mm_deadline;
const mm_deadline *mm_deadline_here(void); /* of this thread; NULL: none */
#define MM_AT_ONCE 1e-9 /* seconds of a timeout of 0, as 0 stands for none */
/* A `timeout` of Python as seconds, 0 for none; -1 and an exception. */
int mm_deadline_read(PyObject *timeout, double *seconds);
/* Always NULL. */
PyObject *mm_deadline_raise(module_state *state, double seconds);
