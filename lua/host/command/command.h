/* command.h - the command as a process: signals, its deadline, its terminal, and this machine. Read by LuaJIT
 * too: the same law holds.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "state/host.h"
#pragma GCC visibility push(default)

/* The job that SIGINT, SIGTERM and SIGHUP cancel in the command; a second signal, or one that comes without a job, ends
 * the process, and leaves no temporary file of `sink` (NULL: there is none). NULL before the job is freed. When
 * `moonmill.cli.main` returns 128 + mm_host_signal() the process ends by that signal. */
void    mm_host_job(mm_job *job, mm_stage *sink);
int32_t mm_host_signal(void); /* the signal that cancelled a job, or 0 */

/* A job does not stop: the command is to end without waiting for any thread, nor for files that one may hold. */
void    mm_host_leave(void);

/* Once: the command may take so many seconds. Then Lua is left by an error that no pcall holds up; where a job runs,
 * who waits for it is to cancel it. What has not stopped within 2 s more is ended with the process. Either way `text`
 * (copied; cut at 1 KiB) goes to stderr, and the exit code is `code`. */
void mm_host_deadline(double seconds, const char *text, int32_t code);
void mm_host_opening(bool opening); /* the core opens files, and keeps to the time that is left: Lua is not stopped */
double mm_host_left(void); /* seconds to the deadline, negative when it has passed; infinite where there is none */

bool    mm_host_is_terminal(int32_t fd);
int32_t mm_host_terminal_width(int32_t fd); /* columns; 0 when it is not a terminal */
/* What was printed to stdout has left this process: 0, or MM_EIO, "closed-pipe" when its reader is gone. */
int     mm_host_flush(mm_error *error);
/* Append the names in a directory, each with a NUL behind it, in no order; hidden ones are left out. */
int     mm_host_list_directory(const char *path, mm_buffer *names, mm_error *error);

/* For moonmill doctor. */
const char *mm_host_zstd_version(void);
bool    mm_host_hook_check(void);    /* can a compiled loop be stopped? */
bool    mm_host_pattern_check(void); /* can string.find of a hard pattern? */

#pragma GCC visibility pop
