/* function_call.c - call a function of a module: arguments to Lua, results from Lua.
 *
 * DESIGN. Numbers and booleans are pushed and read as they are. Everything else (texts, views, 64-bit integers of C)
 * allocates, so it happens within a protected call, in push_all. A view is a fresh struct of C made by
 * moonmill.typed.array_view, laid out as `view` below; it is anchored in a table until the call has returned and it was
 * cleared, whatever the function did with it.
 *
 * SPDX-License-Identifier: MIT */
#include "session/module_state.h"
#include <math.h>
#include <string.h>

/* What lies in an array's cdata. A count below 0 tells why there is nothing (moonmill.typed.array_view). */
typedef struct view {
  const void *data;
  mm_block *block; /* of arrays that a function made */
  union {
    int32_t small;
    double big;
  } count;
} view;
enum { OVER = -1, GIVEN = -2 };

enum { LUA_TCDATA = 10 };               /* LuaJIT's; no header tells it */
static const int64_t exact = 1LL << 53; /* whole numbers up to here are exact in a double */

typedef struct call {
  mm_module *module;
  const mm_function *function;
  mm_entry *entry;
  const mm_item *arguments;
  mm_item *results;
} call;

static bool is_big(int64_t count) { return count > INT32_MAX; }

/* ---- Arguments ---- */

static void push_number(lua_State *L, const mm_slot *slot, const mm_item *item) {
  if (item->null) lua_pushnil(L);
  else if (slot->type.id == MM_BOOL) lua_pushboolean(L, item->i != 0);
  else if (slot->type.id == MM_F32) lua_pushnumber(L, (double)(float)item->f);
  else if (slot->type.id == MM_F64) lua_pushnumber(L, item->f);
  else if (slot->type.id == MM_U64) lua_pushnumber(L, (double)(uint64_t)item->i);
  else lua_pushnumber(L, (double)item->i);
}

static bool is_inexact(const mm_slot *slot, const mm_item *item) {
  if (slot->array || slot->exact || item->null) return false;
  if (slot->type.id == MM_I64) return item->i > exact || item->i < -exact;
  return slot->type.id == MM_U64 && (uint64_t)item->i > (uint64_t)exact;
}

/* not_exact(entry, number, text), which raises what is wrong with the argument */
static int fail_inexact(lua_State *L, const call *c, int32_t number) {
  mm_module *module = c->module;
  bool is_signed = c->function->arguments[number].type.id == MM_I64;
  char text[24];
  snprintf(text, sizeof text, is_signed ? "%lld" : "%llu", (long long)c->arguments[number].i);
  lua_rawgeti(L, LUA_REGISTRYINDEX, module->not_exact);
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->entry->value);
  lua_pushinteger(L, number + 1);
  lua_pushstring(L, text);
  lua_call(L, 3, 0);
  return 0;
}

static void push_view(lua_State *L, const call *c, int32_t number) {
  const mm_item *item = &c->arguments[number];
  const int *makers = is_big(item->size) ? c->entry->big : c->entry->small;
  lua_rawgeti(L, LUA_REGISTRYINDEX, makers[number]);
  lua_call(L, 0, 1);
  view *v = (view *)(uintptr_t)lua_topointer(L, -1);
  v->data = item->data;
  if (is_big(item->size)) v->count.big = (double)item->size;
  else v->count.small = (int32_t)item->size;
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->entry->anchors);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, number + 1);
  lua_pop(L, 1);
}

static void push_any(lua_State *L, const call *c, int32_t number) {
  const mm_slot *slot = &c->function->arguments[number];
  const mm_item *item = &c->arguments[number];
  if (item->null) {
    lua_pushnil(L);
  } else if (slot->array) {
    push_view(L, c, number);
  } else if (slot->type.id == MM_UTF8 || slot->type.id == MM_BINARY) {
    lua_pushlstring(L, item->data, (size_t)item->size);
  } else if (slot->exact) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, slot->type.id == MM_I64 ? c->module->int64 : c->module->uint64);
    lua_call(L, 0, 1);
    memcpy((void *)(uintptr_t)lua_topointer(L, -1), &item->i, sizeof item->i);
  } else {
    push_number(L, slot, item);
  }
}

int mm_module_call_all(lua_State *L) {
  const mm_module *module = lua_touserdata(L, lua_upvalueindex(1));
  const call *c = module->call;
  int32_t count = c->function->argument_count;
  luaL_checkstack(L, count + 4, "too many arguments");
  for (int32_t i = 0; i < count; i++) {
    if (is_inexact(&c->function->arguments[i], &c->arguments[i])) return fail_inexact(L, c, i);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->entry->fn);
  for (int32_t i = 0; i < count; i++) push_any(L, c, i);
  lua_call(L, count, LUA_MULTRET);
  return lua_gettop(L);
}

/* The views of the call are of no use from now on, whoever keeps them. */
static void clear_views(lua_State *L, const call *c) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->entry->anchors);
  for (int32_t i = 0; i < c->function->argument_count; i++) {
    if (!c->function->arguments[i].array) continue;
    lua_rawgeti(L, -1, i + 1);
    view *v = (view *)(uintptr_t)lua_topointer(L, -1);
    lua_pop(L, 1);
    if (!v) continue;
    v->data = NULL;
    if (is_big(c->arguments[i].size)) v->count.big = OVER;
    else v->count.small = OVER;
    lua_pushnil(L);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pop(L, 1);
}

/* ---- Results ---- */

/* Call `how`(entry, number, the value at `index`), which judges a result; its answer is left on the stack. */
static int judge_result(lua_State *L, const call *c, int how, int32_t number, int index) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, how);
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->entry->value);
  lua_pushinteger(L, number);
  if (index) lua_pushvalue(L, index);
  return lua_pcall(L, index ? 3 : 2, 1, 1) ? -1 : 0;
}

static int refuse_result(lua_State *L, const call *c, int32_t number, int index) {
  judge_result(L, c, c->module->refuse, number + 1, index);
  return -1;
}

static bool value_fits(const mm_slot *slot, double value) {
  static const struct {
    double low, high;
  } ranges[] = {[MM_I8] = {INT8_MIN, INT8_MAX},    [MM_I16] = {INT16_MIN, INT16_MAX},
                [MM_I32] = {INT32_MIN, INT32_MAX}, [MM_I64] = {-0x1p53, 0x1p53},
                [MM_U8] = {0, UINT8_MAX},          [MM_U16] = {0, UINT16_MAX},
                [MM_U32] = {0, UINT32_MAX},        [MM_U64] = {0, 0x1p53}};
  int id = slot->type.id;
  return value >= ranges[id].low && value <= ranges[id].high && value == floor(value);
}

/* An int64_t or uint64_t of C as a result. */
static int take_wide(lua_State *L, const call *c, int32_t number, int index) {
  const mm_slot *slot = &c->function->results[number];
  mm_item *item = &c->results[number];
  if (judge_result(L, c, c->module->check_wide, number + 1, index) < 0) return -1;
  bool is_signed = lua_tointeger(L, -1) == 1;
  lua_pop(L, 1);
  memcpy(&item->i, lua_topointer(L, index), sizeof item->i);
  bool fitting;
  if (slot->type.id == MM_I64) fitting = is_signed || item->i >= 0;
  else if (slot->type.id == MM_U64) fitting = !is_signed || item->i >= 0;
  else
    fitting = item->i <= exact && item->i >= -exact && (is_signed || item->i >= 0) && value_fits(slot, (double)item->i);
  return fitting ? 0 : refuse_result(L, c, number, index);
}

static int take_array(lua_State *L, const call *c, int32_t number, int index) {
  mm_item *item = &c->results[number];
  if (judge_result(L, c, c->module->check_array, number + 1, index) < 0) return -1;
  bool big = lua_tointeger(L, -1) == 2;
  lua_pop(L, 1);
  const view *v = lua_topointer(L, index);
  item->data = v->data;
  item->size = big ? (int64_t)v->count.big : v->count.small;
  item->block = v->block;
  if (v->block) return 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->entry->anchors);
  for (int32_t i = 0; i < c->function->argument_count && item->argument < 0; i++) {
    lua_rawgeti(L, -1, i + 1);
    if (lua_topointer(L, -1) == v) item->argument = i;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return 0;
}

static int take_text(lua_State *L, const call *c, int32_t number, int index) {
  mm_item *item = &c->results[number];
  if (lua_type(L, index) != LUA_TSTRING) return refuse_result(L, c, number, index);
  size_t size;
  item->data = lua_tolstring(L, index, &size);
  item->size = (int64_t)size;
  bool valid = c->function->results[number].type.id == MM_BINARY || mm_utf8_invalid(item->data, item->size) < 0;
  return valid ? 0 : refuse_result(L, c, number, index);
}

static int take_result(lua_State *L, const call *c, int32_t number, int index) {
  const mm_slot *slot = &c->function->results[number];
  mm_item *item = &c->results[number];
  int type = lua_type(L, index);
  *item = (mm_item){.argument = -1};
  if (type == LUA_TNIL || type == LUA_TNONE) {
    item->null = true;
    return slot->nullable ? 0 : refuse_result(L, c, number, index);
  }
  if (slot->array) return take_array(L, c, number, index);
  switch (slot->type.id) {
  case MM_UTF8:
  case MM_BINARY: return take_text(L, c, number, index);
  case MM_BOOL:
    if (type != LUA_TBOOLEAN) return refuse_result(L, c, number, index);
    item->i = lua_toboolean(L, index);
    return 0;
  case MM_F32:
  case MM_F64:
    if (type != LUA_TNUMBER) return refuse_result(L, c, number, index);
    item->f = lua_tonumber(L, index);
    if (slot->type.id == MM_F32) item->f = (float)item->f;
    return 0;
  default:
    if (type == LUA_TCDATA) return take_wide(L, c, number, index);
    if (type != LUA_TNUMBER || !value_fits(slot, lua_tonumber(L, index))) return refuse_result(L, c, number, index);
    item->i = (int64_t)lua_tonumber(L, index);
    return 0;
  }
}

/* The arrays that the function made go to the caller; in Lua they are empty from now on. */
static void hand_over(lua_State *L, const call *c, int first) {
  for (int32_t i = 0; i < c->function->result_count; i++) {
    const mm_item *item = &c->results[i];
    if (!item->block) continue;
    view *v = (view *)(uintptr_t)lua_topointer(L, first + i);
    if (!v->block) { /* returned twice */
      mm_block_retain(item->block);
      continue;
    }
    v->block = NULL;
    v->data = NULL;
    if (is_big(item->size)) v->count.big = GIVEN;
    else v->count.small = GIVEN;
  }
}

/* Results stand on the stack from index 2, behind the handler. On failure the problem is on top of the stack. */
static int take_all(lua_State *L, const call *c) {
  int given = lua_gettop(L) - 1;
  int32_t count = c->function->result_count;
  if (given > count) {
    judge_result(L, c, c->module->too_many, given, 0);
    return -1;
  }
  lua_settop(L, 1 + count);
  for (int32_t i = 0; i < count; i++) {
    if (take_result(L, c, i, 2 + i) < 0) return -1;
  }
  hand_over(L, c, 2);
  return 0;
}

/* ---- Calls ---- */

static bool all_exact(const call *c) {
  for (int32_t i = 0; i < c->function->argument_count; i++) {
    if (is_inexact(&c->function->arguments[i], &c->arguments[i])) return false;
  }
  return true;
}

/* A failure that knows no line is at the function. */
static void place_at(const call *c, mm_error *error) {
  snprintf(error->file, sizeof error->file, "%s", c->module->name);
  error->line = c->function->line;
}

int mm_module_call(mm_module *module, int32_t number, const mm_item *arguments, mm_item *results, const mm_pulse *pulse,
                   mm_error *error) {
  if (!module->watch.L) {
    int status = mm_module_prepare(module, pulse, error);
    if (status < 0) return status;
  }
  const call c = {module, &module->functions[number], &module->entries[number], arguments, results};
  lua_State *L = module->watch.L;
  bool plain = module->plain[number] && all_exact(&c);
  int32_t count = 0;
  if (!lua_checkstack(L, c.function->argument_count + c.function->result_count + 10)) return mm_host_fail_memory(error);
  lua_settop(L, 0);
  lua_rawgeti(L, LUA_REGISTRYINDEX, module->handler);
  if (plain) {
    count = c.function->argument_count;
    lua_rawgeti(L, LUA_REGISTRYINDEX, c.entry->fn);
    for (int32_t i = 0; i < count; i++) push_number(L, &c.function->arguments[i], &arguments[i]);
  } else {
    module->call = &c;
    lua_rawgeti(L, LUA_REGISTRYINDEX, module->call_all);
  }
  bool stopped;
  int broken = mm_watchdog_call(&module->watch, count, LUA_MULTRET, 1, pulse, &stopped);
  if (stopped) return mm_module_stopped(module, error);
  int status = broken || take_all(L, &c) < 0 ? mm_module_tell(module, error) : 0;
  if (status == MM_ESCRIPT && error && !*error->file) place_at(&c, error);
  if (!plain) clear_views(L, &c);
  return status;
}

double mm_plain_nan(const void *value, bool single) {
  double x;
  if (single) {
    float narrow;
    memcpy(&narrow, value, sizeof narrow);
    x = (double)narrow;
  } else {
    memcpy(&x, value, sizeof x);
  }
  return x == x ? x : (double)NAN;
}
