/* host.h - what all of lua/host shares, and offers to Lua and to C: errors, waiting, the clock. Read by LuaJIT too, as
 * moonmill.h is: the same law holds.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"
#pragma GCC visibility push(default)

/* Called some twenty times a second, on the thread of the call, while it waits for Lua; any other answer than 0 stops
 * the call: it fails with MM_ECANCEL, within 2 s though the script be inside a call of C that cannot be stopped. */
typedef struct mm_pulse { int (*beat)(void *context); void *context; } mm_pulse;

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

double  mm_host_clock(void); /* seconds that pass evenly, from some moment */

/* Booleans as bytes of 0 and 1, which loops write: bit i of `bits` is byte i; whole words are written. Returns the
 * number of set bits. */
int64_t mm_rows_pack(uint64_t *bits, const uint8_t *bytes, int64_t n);

#pragma GCC visibility pop
