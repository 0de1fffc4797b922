/* budget.c - the memory of Lua states counts against the limit of the process.
 *
 * DESIGN. Behind each state stands LuaJIT's own allocator, which is the fastest for small objects; what it hands out is
 * counted here. A state takes from the budget in steps, so that most allocations cost an addition and a comparison:
 * what is reserved and not in use stays between 0 and a most.
 *
 * LuaJIT cannot collect garbage within an allocation. So when the budget becomes scarce the collector is told to run a
 * whole cycle at the next place where it may: a state does not fail over garbage unless one allocation takes what is
 * left.
 *
 * SPDX-License-Identifier: MIT */
#include "state/state.h"
#include <stdlib.h>
#include <string.h>

enum { STEP = 64 << 10, KEPT_STEPS = 4, SCARCE_STEP = 4 << 10, SMALLEST_LAP = 1 << 20 };
enum { USUAL_STEPMUL = 200, WHOLE_CYCLE = 0 }; /* of the collector */

typedef struct budget {
  lua_Alloc allocate; /* LuaJIT's */
  void *self;
  lua_State *L;
  int64_t reserved;
  int64_t idle;      /* reserved and not in use; negative where `unlimited` allowed more */
  int64_t most_idle; /* with so much, some is given back */
  int64_t marked;    /* bytes in use when a cycle was asked for */
  bool hurried;      /* cycles are not cut into steps */
  bool unlimited;    /* while garbage is collected, which takes a little memory itself */
} budget;

static _Thread_local struct {
  int64_t size; /* bytes that an allocation of Lua failed to get on this thread */
  bool limited; /* by the limit of the process, not by the system */
  bool untold;  /* nobody was told since */
} refused;

static int64_t used_bytes(const budget *b) { return b->reserved - b->idle; }

static void note_refusal(int64_t size, bool limited) {
  refused.size = size;
  refused.limited = limited;
  refused.untold = true;
}

/* At least half of the limit is gone: ask for a cycle each time that a quarter of the rest has been taken. The calls of
 * lua_gc only set numbers. */
static void hurry_collector(budget *b) {
  int64_t limit = mm_memory_limit_now(), left = limit - mm_memory_used();
  bool scarce = limit > 0 && left < limit / 2;
  if (scarce != b->hurried) {
    lua_gc(b->L, LUA_GCSETSTEPMUL, scarce ? WHOLE_CYCLE : USUAL_STEPMUL);
    b->hurried = scarce;
    b->most_idle = scarce ? SCARCE_STEP : KEPT_STEPS * STEP;
    b->marked = 0;
  }
  if (!scarce) return;
  int64_t lap = left / 4 > SMALLEST_LAP ? left / 4 : SMALLEST_LAP;
  int64_t now = used_bytes(b);
  if (now < b->marked) b->marked = now;
  if (b->marked && now - b->marked < lap) return;
  b->marked = now;
  if (lua_gc(b->L, LUA_GCISRUNNING, 0)) lua_gc(b->L, LUA_GCRESTART, 0);
}

static bool reserve_bytes(budget *b, int64_t size) {
  if (!mm_memory_reserve(size)) return false;
  b->reserved += size;
  b->idle += size;
  return true;
}

static void unreserve_bytes(budget *b, int64_t size) {
  if (size <= 0) return;
  b->reserved -= size;
  b->idle -= size;
  mm_memory_unreserve(size);
}

static bool take_bytes(budget *b, int64_t size) {
  int64_t missing = size - b->idle;
  if (missing <= 0) return true;
  if (!reserve_bytes(b, (missing + STEP - 1) / STEP * STEP) && !reserve_bytes(b, missing)) return false;
  hurry_collector(b);
  return true;
}

/* Some steps are kept for what comes next, but not where the budget is scarce. */
static void give_back(budget *b) {
  if (b->idle < b->most_idle) return;
  unreserve_bytes(b, b->hurried ? b->idle : b->idle / STEP * STEP - STEP);
}

static void *pass_on(budget *b, void *memory, size_t old_size, size_t new_size) {
  int64_t more = (int64_t)new_size - (int64_t)old_size;
  void *result = b->allocate(b->self, memory, old_size, new_size);
  if (result || !new_size) b->idle -= more;
  else note_refusal(more, false);
  return result;
}

/* Where the budget may have to change. */
static __attribute__((noinline)) void *negotiate(budget *b, void *memory, size_t old_size, size_t new_size) {
  int64_t more = (int64_t)new_size - (int64_t)old_size;
  if (more > 0 && !b->unlimited && !take_bytes(b, more)) {
    note_refusal(more, true);
    hurry_collector(b);
    return NULL;
  }
  void *result = pass_on(b, memory, old_size, new_size);
  if (more < 0) give_back(b);
  return result;
}

static void *allocate_counted(void *self, void *memory, size_t old_size, size_t new_size) {
  budget *b = self;
  int64_t idle = b->idle - (int64_t)new_size + (int64_t)old_size;
  if (idle < 0 || idle >= b->most_idle) return negotiate(b, memory, old_size, new_size);
  if (new_size) return pass_on(b, memory, old_size, new_size);
  b->idle = idle; /* freeing does not fail, so nothing is left to do behind it */
  return b->allocate(b->self, memory, old_size, 0);
}

lua_State *mm_budget_state(void) {
  budget *b = calloc(1, sizeof *b);
  lua_State *L = b ? luaL_newstate() : NULL;
  if (!L) {
    note_refusal(STEP, false);
    free(b);
    return NULL;
  }
  b->L = L;
  b->allocate = lua_getallocf(L, &b->self);
  b->most_idle = KEPT_STEPS * STEP;
  b->idle = -(int64_t)lua_gc(L, LUA_GCCOUNT, 0) * 1024;
  lua_setallocf(L, allocate_counted, b);
  if (take_bytes(b, 0)) return L;
  note_refusal(used_bytes(b), true);
  mm_state_close(L);
  return NULL;
}

/* LuaJIT takes all of its own allocator's memory back at once when it is the state's again. */
void mm_state_close(lua_State *L) {
  if (!L) return;
  void *self;
  lua_getallocf(L, &self);
  budget *b = self;
  lua_setallocf(L, b->allocate, b->self);
  lua_close(L);
  mm_memory_unreserve(b->reserved);
  free(b);
}

int mm_host_fail_memory(mm_error *error) {
  refused.untold = false;
  return mm_memory_fail(refused.size, refused.limited, error);
}

bool mm_host_lacked_memory(void) { return refused.untold; }

bool mm_state_lacks_memory(lua_State *L, int status) {
  if (status == LUA_ERRMEM) return true;
  if (status == LUA_ERRERR && refused.untold) return true;
  return status && lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "not enough memory") == 0;
}

static int collect_garbage(lua_State *L) {
  lua_gc(L, LUA_GCCOLLECT, 0);
  return 0;
}

bool mm_state_collect(lua_State *L) {
  void *self = NULL;
  lua_getallocf(L, &self);
  budget *b = self;
  b->unlimited = true;
  int broken = lua_cpcall(L, collect_garbage, NULL);
  b->unlimited = false;
  unreserve_bytes(b, b->idle);
  return !broken;
}
