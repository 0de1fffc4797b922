/* host.h - what lua/host offers to Lua and to C, beside moonmill.h and stage.h. Read by LuaJIT too: the same law holds.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"
#pragma GCC visibility push(default)

/* A stage that calls a Lua function for each row. `shipment` (copied) is what moonmill.rows.ship made of the function,
 * its upvalues, the parameters and the description of its outputs; every worker unpacks it in a Lua state of its own.
 * `filter`: the function is a predicate of `where`; else its results are appended to the columns. `out` (copied) names
 * all columns of the result. `take` (NULL: none) does for most batches what the function does for each row, and fails
 * where it cannot tell: such a batch is given to the function. */
mm_stage *mm_stage_rows(const char *shipment, int64_t size, const mm_schema *in, const mm_schema *out, bool filter,
                        int32_t place, mm_program *take, mm_error *error);

/* For moonmill explain: run a shipped function over the rows of `sample` in a state of its own and append to `text`
 * whether LuaJIT compiled it. `out` names what leaves the stage. */
int mm_rows_try(const char *shipment, int64_t size, const mm_schema *out, const mm_table *sample, mm_buffer *text,
                mm_error *error);

/* For moonmill.rows, whose loops note booleans as bytes of 0 and 1. */
/* Bit i of `bits` is byte i; whole words are written. Returns the number of set bits. */
int64_t mm_rows_pack(uint64_t *bits, const uint8_t *bytes, int64_t n);
/* The first of n texts that is not valid UTF-8, or -1. */
int64_t mm_rows_invalid_text(const int32_t *offsets, const uint8_t *bytes, int64_t n);
/* Has one of n f64, or f32 if `single`, the bits of a NaN that LuaJIT could mistake for a value of another type? */
bool    mm_rows_odd_nan(const void *values, int64_t n, bool single);
/* Every NaN among n values gets the bits of MM_OP_PLAIN. */
void    mm_rows_plain_nan(void *values, int64_t n, bool single);
/* `out` (empty) shares the columns of `in` and has `extra` zero columns behind them. */
int     mm_rows_share(const mm_batch *in, int32_t extra, mm_batch *out, mm_error *error);
/* `out` (empty) gets those of the first n rows that are kept; `track`: with their origin. */
int     mm_rows_keep(const mm_batch *in, const uint8_t *keep, int64_t n, bool track, mm_batch *out, mm_error *error);

/* The job that SIGINT, SIGTERM and SIGHUP cancel in the command; a second signal, or one that comes without a job, ends
 * the process, and leaves no temporary file of `sink` (NULL: there is none). NULL before the job is freed. When
 * `moonmill.cli` returns 128 + mm_host_signal() the process ends by that signal. */
void    mm_host_job(mm_job *job, mm_stage *sink);
int32_t mm_host_signal(void); /* the signal that cancelled a job, or 0 */

/* A job does not stop: the command is to end without waiting for any thread, nor for files that one may hold. */
void    mm_host_leave(void);

/* Once: the command may take so many seconds. Then Lua is left by an error that no pcall holds up; where a job runs, who
 * waits for it is to cancel it. What has not stopped within 2 s more is ended with the process. Either way `text`
 * (copied; cut at 1 KiB) goes to stderr, and the exit code is `code`. */
void mm_host_deadline(double seconds, const char *text, int32_t code);
void mm_host_opening(bool opening); /* the core opens files, and keeps to the time that is left: Lua is not stopped */
double mm_host_left(void); /* seconds to the deadline, negative when it has passed; infinite where there is none */

/* Fill in `error` (unless NULL) and return `code`; other fields become none. `id` is kebab-case. */
int mm_host_fail(mm_error *error, int code, const char *id, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Fill in `error` (unless NULL): Lua ran out of memory on this thread. MM_ENOMEM, "memory-limit" or "out-of-memory". */
int     mm_host_fail_memory(mm_error *error);
/* Did Lua run out of memory on this thread since that was last told? */
bool    mm_host_lacked_memory(void);
/* Can LuaJIT's machine code be run? False where the system denies executable memory: scripts are interpreted. */
bool    mm_host_machine_code(void);

/* Fill `bytes` with what nobody can guess. */
void    mm_host_secret(uint8_t *bytes, int32_t size);

bool    mm_host_is_terminal(int32_t fd);
int32_t mm_host_terminal_width(int32_t fd); /* columns; 0 when it is not a terminal */
/* What was printed to stdout has left this process: 0, or MM_EIO, "closed-pipe" when its reader is gone. */
int     mm_host_flush(mm_error *error);
double  mm_host_clock(void); /* seconds that pass evenly, from some moment */
/* Append the names in a folder, each with a NUL behind it, in no order; hidden ones are left out. */
int     mm_host_folder(const char *path, mm_buffer *names, mm_error *error);

/* For moonmill doctor. */
const char *mm_host_zstd_version(void);
bool    mm_host_hook_check(void);    /* can a compiled loop be stopped? */
bool    mm_host_pattern_check(void); /* can string.find of a hard pattern? */

#pragma GCC visibility pop
