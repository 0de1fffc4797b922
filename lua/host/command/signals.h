/* signals.h - what main.c asks of signals.c.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "state/state.h"

/* Catch SIGINT, SIGTERM and SIGHUP for the job named by mm_host_job, and ignore SIGPIPE: writing reports it. */
void mm_signals_install(void);
/* Was mm_host_leave called? */
bool mm_signals_leaving(void);
/* The state that the deadline of the command stops. */
void mm_signals_interruptible(lua_State *L);
/* The exit code, once the deadline has passed and its text is written; else 0. */
int mm_signals_expired(void);
/* End the process by a signal that was caught, so that a shell sees it. */
void mm_signals_die(int number);
