/* function_module.c - modules of typed functions: the Lua state that a script was run in, its lock, and what the script
 * declared.
 * SPDX-License-Identifier: MIT */
#include "session/module_state.h"
#include "session/abandonable_call.h"
#include <stdlib.h>
#include <string.h>

/* ---- Memory of the texts and lists: freed together ---- */

struct mm_piece {
  mm_piece *next;
  max_align_t bytes[];
};

static void *keep_bytes(mm_module *module, size_t size) {
  mm_piece *piece = calloc(1, sizeof *piece + size);
  if (!piece) return NULL;
  piece->next = module->pieces;
  module->pieces = piece;
  return piece->bytes;
}

static char *keep_text(mm_module *module, const char *text, size_t size) {
  char *copy = keep_bytes(module, size + 1);
  if (copy) memcpy(copy, text, size);
  return copy;
}

/* The same, for use within Lua: runs out of memory as Lua does. */
static void *must_have(lua_State *L, void *memory) {
  if (!memory) luaL_error(L, "not enough memory");
  return memory;
}

/* ---- What the script declared: read from the table of moonmill.typed.module_host, at the top of the stack ---- */

static const char *text_field(lua_State *L, mm_module *module, const char *name) {
  size_t size;
  lua_getfield(L, -1, name);
  const char *text = luaL_checklstring(L, -1, &size);
  text = must_have(L, keep_text(module, text, size));
  lua_pop(L, 1);
  return text;
}

static bool flag_field(lua_State *L, const char *name) {
  lua_getfield(L, -1, name);
  bool flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

static int64_t integer_field(lua_State *L, const char *name) {
  lua_getfield(L, -1, name);
  int64_t value = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return value;
}

static int function_reference(lua_State *L, const char *name) {
  lua_getfield(L, -1, name);
  if (!lua_isnil(L, -1)) return luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pop(L, 1);
  return LUA_NOREF;
}

static const mm_slot *read_slots(lua_State *L, mm_module *module, const char *name, int32_t *count) {
  lua_getfield(L, -1, name);
  *count = (int32_t)lua_objlen(L, -1);
  mm_slot *slots = must_have(L, keep_bytes(module, sizeof *slots * (size_t)*count));
  for (int32_t i = 0; i < *count; i++) {
    lua_rawgeti(L, -1, i + 1);
    slots[i] = (mm_slot){
        .name = text_field(L, module, "name"),
        .type = {.id = (uint8_t)integer_field(L, "type")},
        .array = flag_field(L, "array"),
        .mut = flag_field(L, "mut"),
        .exact = flag_field(L, "exact"),
        .nullable = flag_field(L, "nullable"),
    };
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return slots;
}

static bool is_text(mm_type type) { return type.id == MM_UTF8 || type.id == MM_BINARY; }

/* Neither texts nor arrays, nor integers of C: nothing is allocated to call it. */
static bool is_plain(const mm_function *function) {
  bool plain = true;
  for (int32_t i = 0; i < function->argument_count; i++) {
    const mm_slot *slot = &function->arguments[i];
    plain = plain && !slot->array && !slot->exact && !is_text(slot->type);
  }
  return plain;
}

static void read_functions(lua_State *L, mm_module *module) {
  int32_t count = (int32_t)lua_objlen(L, -1);
  module->functions = must_have(L, keep_bytes(module, sizeof *module->functions * (size_t)count));
  module->entries = must_have(L, keep_bytes(module, sizeof *module->entries * (size_t)count));
  module->plain = must_have(L, keep_bytes(module, sizeof *module->plain * (size_t)count));
  for (int32_t i = 0; i < count; i++) {
    mm_function *function = &module->functions[i];
    mm_entry *entry = &module->entries[i];
    lua_rawgeti(L, -1, i + 1);
    function->name = text_field(L, module, "name");
    function->about = text_field(L, module, "about");
    function->signature = text_field(L, module, "signature");
    function->line = integer_field(L, "line");
    function->arguments = read_slots(L, module, "arguments", &function->argument_count);
    function->results = read_slots(L, module, "results", &function->result_count);
    entry->small = must_have(L, keep_bytes(module, sizeof(int) * (size_t)function->argument_count));
    entry->big = must_have(L, keep_bytes(module, sizeof(int) * (size_t)function->argument_count));
    module->plain[i] = is_plain(function);
    lua_pop(L, 1);
  }
  module->count = count;
}

/* Is the list of functions, at the top of the stack, that of the first run? */
static bool same_functions(lua_State *L, const mm_module *module) {
  bool same = (int32_t)lua_objlen(L, -1) == module->count;
  for (int32_t i = 0; same && i < module->count; i++) {
    lua_rawgeti(L, -1, i + 1);
    lua_getfield(L, -1, "name");
    lua_getfield(L, -2, "signature");
    same = strcmp(lua_tostring(L, -2), module->functions[i].name) == 0
           && strcmp(lua_tostring(L, -1), module->functions[i].signature) == 0;
    lua_pop(L, 3);
  }
  return same;
}

static void read_entries(lua_State *L, mm_module *module) {
  for (int32_t i = 0; i < module->count; i++) {
    mm_entry *entry = &module->entries[i];
    lua_rawgeti(L, -1, i + 1);
    entry->fn = function_reference(L, "fn");
    entry->value = function_reference(L, "entry");
    lua_createtable(L, module->functions[i].argument_count, 0);
    entry->anchors = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_getfield(L, -1, "arguments");
    for (int32_t k = 0; k < module->functions[i].argument_count; k++) {
      lua_rawgeti(L, -1, k + 1);
      entry->small[k] = function_reference(L, "small");
      entry->big[k] = function_reference(L, "big");
      lua_pop(L, 1);
    }
    lua_pop(L, 2);
  }
}

/* ---- The state ---- */

/* load_host(module) -> open, name, text, module, text, ... Keeps the functions of moonmill.typed.module_host. */
static int load_host(lua_State *L) {
  mm_module *module = lua_touserdata(L, 1);
  mm_watchdog_bind(&module->watch, L);
  mm_state_require(L, "moonmill.typed.module_host");
  lua_pushlightuserdata(L, module);
  lua_pushcclosure(L, mm_module_call_all, 1);
  module->call_all = luaL_ref(L, LUA_REGISTRYINDEX);
#define X(name) module->name = function_reference(L, #name);
  MM_MODULE_REFS(X)
#undef X
  lua_getfield(L, -1, "open");
  lua_pushstring(L, module->name);
  luaL_checkstack(L, module->text_count, "too many modules");
  for (int32_t i = 0; i < module->text_count; i++)
    lua_pushlstring(L, module->texts[i].bytes, (size_t)module->texts[i].size);
  return 2 + module->text_count;
}

/* read_script(module, what open returned) */
static int read_script(lua_State *L) {
  mm_module *module = lua_touserdata(L, 1);
  if (!module->about) module->about = (char *)(uintptr_t)text_field(L, module, "about");
  lua_getfield(L, -1, "functions");
  if (!module->functions) read_functions(L, module);
  else if (!same_functions(L, module)) return luaL_error(L, "%s: its functions are others than before", module->name);
  read_entries(L, module);
  return 0;
}

void mm_module_discard(mm_module *module) {
  lua_State *L = module->watch.L;
  module->watch.L = NULL;
  if (L) mm_state_close(L);
}

int mm_module_stopped(mm_module *module, mm_error *error) {
  mm_module_discard(module);
  return mm_host_fail(error, MM_ECANCEL, "cancelled", "the call was stopped");
}

/* tell(problem, error) */
int mm_module_tell(mm_module *module, mm_error *error) {
  lua_State *L = module->watch.L;
  mm_error failure = {0};
  if (mm_state_lacks_memory(L, LUA_ERRRUN)) {
    mm_state_fail(L, LUA_ERRMEM, MM_ENOMEM, "memory", error);
    lua_settop(L, 0);
    return MM_ENOMEM;
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, module->tell);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, &failure);
  bool broken = lua_pcall(L, 2, 0, 0);
  lua_settop(L, 0);
  if (broken || failure.code >= 0) return mm_host_fail_memory(error);
  if (error) *error = failure;
  return failure.code;
}

int mm_module_prepare(mm_module *module, const mm_pulse *pulse, mm_error *error) {
  if (module->watch.L) return 0;
  lua_State *L = mm_state_new(error);
  if (!L) return error ? error->code : MM_ENOMEM;
  if (!mm_state_push(L, load_host, module, error)) {
    mm_state_close(L);
    return error ? error->code : MM_ENOMEM;
  }
  int failed = lua_pcall(L, 1, LUA_MULTRET, 0);
  if (failed) {
    int code = mm_state_fail(L, failed, MM_EBUG, "bug", error);
    module->watch.L = NULL;
    mm_state_close(L);
    return code;
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, module->handler);
  lua_insert(L, 1);
  bool stopped;
  int broken = mm_watchdog_call(&module->watch, 1 + module->text_count, 1, 1, pulse, &stopped);
  if (stopped) return mm_module_stopped(module, error);
  if (!broken) {
    if (!mm_state_push(L, read_script, module, error)) {
      mm_module_discard(module);
      return error ? error->code : MM_ENOMEM;
    }
    lua_pushvalue(L, -3);
    broken = lua_pcall(L, 2, 0, 0);
  }
  if (!broken) {
    lua_settop(L, 0);
    return 0;
  }
  int status = mm_module_tell(module, error);
  mm_module_discard(module);
  return status;
}

/* ---- The lock ---- */

enum { WAIT_MS = 20 };

static _Thread_local char self; /* its address marks a thread */

/* If a thread that is gone held the lock, the state is in the middle of something: it cannot be closed, and is left
 * behind. */
static void module_forked(mm_watchdog *watch) {
  mm_module *module = (mm_module *)watch;
  const void *owner = atomic_load(&module->owner);
  if (owner == &self) return;
  if (owner) watch->L = NULL;
  atomic_store(&watch->phase, MM_WATCHDOG_IDLE);
  atomic_store(&module->owner, NULL);
  pthread_mutex_init(&module->lock, NULL);
}

int mm_module_enter(mm_module *module, bool wait, const mm_pulse *pulse, mm_error *error) {
  if (atomic_load_explicit(&module->owner, memory_order_relaxed) == &self)
    return mm_host_fail(error, MM_ESTATE, "busy", "a function of this module is running on this thread");
  if (pthread_mutex_trylock(&module->lock)) {
    if (!wait) return 0;
    while (mm_lock_within(&module->lock, WAIT_MS)) {
      if (pulse && pulse->beat(pulse->context))
        return mm_host_fail(error, MM_ECANCEL, "cancelled", "the call was stopped while it waited for another one");
    }
  }
  atomic_store_explicit(&module->owner, &self, memory_order_relaxed);
  return 1;
}

void mm_module_leave(mm_module *module) {
  lua_State *L = module->watch.L;
  if (L) lua_settop(L, 0);
  atomic_store_explicit(&module->owner, NULL, memory_order_relaxed);
  pthread_mutex_unlock(&module->lock);
}

void mm_module_cancel(mm_module *module) { mm_watchdog_stop(&module->watch); }

/* ---- Opening ---- */

/* Copy what the script is made of. */
static bool keep_source(mm_module *module, const char *name, const mm_text *texts, int32_t count) {
  module->name = keep_text(module, name, strlen(name));
  module->texts = keep_bytes(module, sizeof *texts * (size_t)count);
  if (!module->name || !module->texts) return false;
  for (int32_t i = 0; i < count; i++) {
    module->texts[i] = (mm_text){keep_text(module, texts[i].bytes, (size_t)texts[i].size), texts[i].size};
    if (!module->texts[i].bytes) return false;
  }
  module->text_count = count;
  return true;
}

/* A script that is run for the first time, on a thread of the pool. */
typedef struct opening {
  mm_module *module;
  mm_error error;
  int status;
} opening;

static void prepare_opening(void *context) {
  opening *o = context;
  o->status = mm_module_prepare(o->module, NULL, &o->error);
}
static void stop_opening(void *context) { mm_watchdog_stop(&((opening *)context)->module->watch); }
static void discard_opening(void *context) {
  mm_module_free(((opening *)context)->module);
  free(context);
}

/* Takes the module where it fails. */
static int open_script(mm_module *module, const mm_pulse *pulse, mm_error *error) {
  static const abandonable_call task = {prepare_opening, stop_opening, discard_opening};
  opening *o = calloc(1, sizeof *o);
  if (!o) {
    mm_module_free(module);
    return mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a module");
  }
  o->module = module;
  if (!abandonable_call_run(&task, o, pulse))
    return mm_host_fail(error, MM_ECANCEL, "cancelled", "the script is within a call that cannot be stopped");
  int status = o->status;
  if (status < 0 && error) *error = o->error;
  if (status < 0) mm_module_free(module);
  free(o);
  return status;
}

int mm_module_open(const char *name, const mm_text *texts, int32_t count, const mm_pulse *pulse, mm_module **result,
                   mm_error *error) {
  *result = NULL;
  mm_module *module = calloc(1, sizeof *module);
  if (!module) return mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a module");
  pthread_mutex_init(&module->lock, NULL);
  module->watch.forked = module_forked;
  mm_watchdog_add(&module->watch);
  if (!keep_source(module, name, texts, count)) {
    mm_module_free(module);
    return mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a module");
  }
  int status = open_script(module, pulse, error);
  if (status >= 0) *result = module;
  return status < 0 ? status : 0;
}

void mm_module_free(mm_module *module) {
  if (!module) return;
  mm_module_discard(module);
  mm_watchdog_remove(&module->watch);
  pthread_mutex_destroy(&module->lock);
  while (module->pieces) {
    mm_piece *piece = module->pieces;
    module->pieces = piece->next;
    free(piece);
  }
  free(module);
}

const char *mm_module_about(const mm_module *module) { return module->about; }
int32_t mm_module_count(const mm_module *module) { return module->count; }
const mm_function *mm_module_function(const mm_module *module, int32_t number) {
  return number >= 0 && number < module->count ? &module->functions[number] : NULL;
}
