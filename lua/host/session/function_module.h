/* function_module.h - modules of typed functions for a host that is not Lua, and for the command. Read by LuaJIT too.
 *
 * DESIGN. A module is a script that returned mm.module{...}, run once in a Lua state of its own behind a lock; what its
 * functions keep in upvalues stays from call to call. A call goes: enter, call, look at the results, leave. A scalar
 * crosses as a Lua number, an array as a view of the caller's memory, cleared when the call has returned.
 *
 * A call that does not come to an end is stopped by a hook that raises until Lua has been left (mm_module_cancel, or
 * the caller's own pulse). What the functions keep is then of unknown state: the Lua state is thrown away and the
 * script run anew by the next call. In the child of a fork a module that was idle goes on with what it has; one that
 * was in use is run anew.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "session/session.h"
#pragma GCC visibility push(default)

typedef struct mm_module mm_module;

/* An argument or a result of a function. */
typedef struct mm_slot {
  const char *name; /* "" for results */
  mm_type     type; /* of a value, or of the elements of an array */
  bool array;
  bool mut;         /* the function may write the array */
  bool exact;
  bool nullable;
} mm_slot;

/* All texts and lists belong to the module. */
typedef struct mm_function {
  const char *name;
  const char *about;     /* "" when nothing is said */
  const char *signature; /* "pixels: mut u8[], by: f64 -> u8[]" */
  const mm_slot *arguments;
  const mm_slot *results;
  int32_t argument_count;
  int32_t result_count;
  int64_t line;          /* of the script */
} mm_function;

/* A value on its way in or out. Which members count is said by the slot: `i` for bool (0 or 1) and integers, u64 as its
 * bits; `f` for floats; `data` and `size` for text (bytes) and arrays (values; bools are bytes of 0 and 1). */
typedef struct mm_item {
  bool        null;
  int32_t     argument; /* of a result array: the number of the argument that it is, or -1 */
  int64_t     i;
  double      f;
  const void *data;
  int64_t     size;
  mm_block   *block;    /* of a result array that is new: one reference, for the caller to release */
} mm_item;

/* Run a script, on another thread, so that a call of C that cannot be stopped is left behind: the file `name`, when
 * `count` is 0; else the text texts[0], called `name` in messages, with names and texts of its modules in turns behind
 * it. `pulse` beats every 5 to 15 ms once a call has lasted that long, from within Lua: no module may be entered there.
 * */
int  mm_module_open(const char *name, const mm_text *texts, int32_t count, const mm_pulse *pulse, mm_module **module,
                    mm_error *error);
void mm_module_free(mm_module *module); /* no call may be running; NULL is allowed */
const char *mm_module_about(const mm_module *module);
int32_t mm_module_count(const mm_module *module);
const mm_function *mm_module_function(const mm_module *module, int32_t number);

/* 1: this thread has the module, until mm_module_leave. 0: another thread has it (only when `wait` is false).
 * MM_ESTATE: this thread is inside already. MM_ECANCEL: the pulse, which beats while the module is waited for, said
 * stop. */
int  mm_module_enter(mm_module *module, bool wait, const mm_pulse *pulse, mm_error *error);
/* Call a function; the module is entered. Arrays of `arguments` must stay in place until it returns; an array that is
 * mut may share memory only with arrays of its own type. Texts among the results live until mm_module_leave; blocks are
 * the caller's. `pulse` may be NULL. MM_ECANCEL: stopped. */
int  mm_module_call(mm_module *module, int32_t function, const mm_item *arguments, mm_item *results,
                    const mm_pulse *pulse, mm_error *error);
void mm_module_leave(mm_module *module);
/* Stop the call that is running, if any. From any thread. */
void mm_module_cancel(mm_module *module);

/* A NaN as every Lua knows it, or the float itself. `value` points to an f64, or to an f32 if `single`. */
double mm_plain_nan(const void *value, bool single);

#pragma GCC visibility pop
