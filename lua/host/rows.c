/* rows.c - the stage that calls a Lua function for each row: a Lua state per worker, one call of Lua per batch.
 *
 * DESIGN The loop over rows is Lua (moonmill.rows), compiled by LuaJIT; this file makes the states, drives batches and
 * stops what runs too long. A worker notes under its mutex when it is inside Lua; interrupt() takes that mutex and sets
 * a hook that raises at the next instruction or loop, again and again until Lua has been left. LuaJIT is built so that
 * compiled loops look for hooks. A hooked state is never entered again.
 *
 * SPDX-License-Identifier: MIT */
#include "host.h"
#include "state.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct rows_local rows_local;

typedef struct rows_stage {
  mm_stage stage;
  char *shipment;
  int64_t size;
  int32_t place;
  int32_t columns;       /* of what comes in */
  int64_t now;           /* what os.time gives in row functions */
  pthread_mutex_t mutex; /* the list of locals; taken before a local's */
  rows_local *locals;
} rows_stage;

struct rows_local {
  lua_State *L;
  int run, last_look;    /* references to moonmill.rows.worker's functions */
  pthread_mutex_t mutex; /* all below */
  bool inside, hooked;
  rows_local *next;
};

/* The shipment names columns by their place, so the schema must be the one that the stage was made for. */
static int bind(mm_stage *stage, const mm_schema *in, mm_error *error) {
  rows_stage *rows = (rows_stage *)stage;
  rows->now = (int64_t)time(NULL);
  if (in->count == rows->columns) return 0;
  return mm_host_fail(error, MM_EBUG, "rows-schema", "a row function made for %d columns gets %d", rows->columns,
                      in->count);
}

/* open_worker(stage, job) -> run, last_look */
static int open_worker(lua_State *L) {
  rows_stage *rows = lua_touserdata(L, 1);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "moonmill.rows.worker");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "open");
  lua_pushlstring(L, rows->shipment, (size_t)rows->size);
  lua_pushlightuserdata(L, &rows->stage);
  lua_pushvalue(L, 2);
  lua_pushnumber(L, (double)rows->now);
  lua_call(L, 4, 2);
  return 2;
}

static int open(mm_stage *stage, mm_job *job, void **local, mm_error *error) {
  rows_stage *rows = (rows_stage *)stage;
  rows_local *self = calloc(1, sizeof *self);
  if (!self) return mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a worker");
  self->L = mm_state_new(error);
  if (!self->L) {
    free(self);
    return error ? error->code : MM_ENOMEM;
  }
  lua_pushcfunction(self->L, open_worker);
  lua_pushlightuserdata(self->L, rows);
  lua_pushlightuserdata(self->L, job);
  if (lua_pcall(self->L, 2, 2, 0)) {
    const char *text = lua_tostring(self->L, -1);
    mm_host_fail(error, MM_ESCRIPT, "script", "%s", text ? text : "the row function cannot be set up");
    lua_close(self->L);
    free(self);
    return MM_ESCRIPT;
  }
  self->last_look = luaL_ref(self->L, LUA_REGISTRYINDEX);
  self->run = luaL_ref(self->L, LUA_REGISTRYINDEX);
  pthread_mutex_init(&self->mutex, NULL);
  pthread_mutex_lock(&rows->mutex);
  self->next = rows->locals;
  rows->locals = self;
  pthread_mutex_unlock(&rows->mutex);
  *local = self;
  return 0;
}

static void close(mm_stage *stage, void *local) {
  rows_stage *rows = (rows_stage *)stage;
  rows_local *self = local;
  pthread_mutex_lock(&rows->mutex);
  for (rows_local **at = &rows->locals; *at; at = &(*at)->next) {
    if (*at != self) continue;
    *at = self->next;
    break;
  }
  pthread_mutex_unlock(&rows->mutex);
  lua_sethook(self->L, NULL, 0, 0); /* so that finalisers run */
  lua_close(self->L);
  pthread_mutex_destroy(&self->mutex);
  free(self);
}

/* False when the state was hooked: Lua must not be entered. */
static bool enter(rows_local *self) {
  pthread_mutex_lock(&self->mutex);
  self->inside = !self->hooked;
  bool entered = self->inside;
  pthread_mutex_unlock(&self->mutex);
  return entered;
}

static bool came_out(rows_local *self) {
  pthread_mutex_lock(&self->mutex);
  self->inside = false;
  bool hooked = self->hooked;
  pthread_mutex_unlock(&self->mutex);
  return hooked;
}

static int fail_cancelled(mm_batch *out, mm_error *error) {
  mm_batch_resize(out, 0, NULL);
  return mm_host_fail(error, MM_ECANCEL, "cancelled", "the job was cancelled");
}

static int run(mm_stage *stage, void *local, const mm_batch *in, mm_batch *out, mm_error *error) {
  rows_local *self = local;
  lua_State *L = self->L;
  mm_error failure = {0};
  if (!enter(self)) return fail_cancelled(out, error);
  lua_rawgeti(L, LUA_REGISTRYINDEX, self->run);
  lua_pushlightuserdata(L, (void *)(uintptr_t)in);
  lua_pushlightuserdata(L, out);
  lua_pushlightuserdata(L, &failure);
  int broken = lua_pcall(L, 3, 1, 0);
  int status = broken ? MM_ENOMEM : (int)lua_tointeger(L, -1);
  if (came_out(self)) return fail_cancelled(out, error);
  lua_pop(L, 1);
  if (broken) {
    mm_batch_resize(out, 0, NULL);
    return mm_host_fail(error, MM_ENOMEM, "memory", "out of memory in a row function");
  }
  if (status < 0 && error) {
    *error = failure;
    error->place = ((rows_stage *)stage)->place;
  }
  return status;
}

/* Did the function change what it captured after the last comparison? */
static int leave(mm_stage *stage, void *local, mm_error *error) {
  rows_local *self = local;
  lua_State *L = self->L;
  mm_error failure = {0};
  if (!enter(self)) return 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, self->last_look);
  lua_pushlightuserdata(L, &failure);
  int broken = lua_pcall(L, 1, 1, 0);
  int status = broken ? MM_ENOMEM : (int)lua_tointeger(L, -1);
  if (came_out(self)) return 0;
  lua_pop(L, 1);
  if (broken) return mm_host_fail(error, MM_ENOMEM, "memory", "out of memory in a row function");
  if (status >= 0) return 0;
  *error = failure;
  error->place = ((rows_stage *)stage)->place;
  return status;
}

static void stop(lua_State *L, lua_Debug *event) {
  (void)event;
  lua_pushliteral(L, "cancelled");
  lua_error(L);
}

static void interrupt(mm_stage *stage) {
  rows_stage *rows = (rows_stage *)stage;
  pthread_mutex_lock(&rows->mutex);
  for (rows_local *self = rows->locals; self; self = self->next) {
    pthread_mutex_lock(&self->mutex);
    self->hooked = true;
    if (self->inside) lua_sethook(self->L, stop, LUA_MASKCOUNT, 1);
    pthread_mutex_unlock(&self->mutex);
  }
  pthread_mutex_unlock(&rows->mutex);
}

static void free_stage(mm_stage *stage) {
  rows_stage *rows = (rows_stage *)stage;
  mm_schema_free(&stage->out);
  pthread_mutex_destroy(&rows->mutex);
  free(rows->shipment);
  free(rows);
}

static mm_stage *copy(const mm_stage *stage, mm_error *error);

/* Results are appended to the columns that come in. */
static int32_t shares(const mm_stage *stage, int32_t column) {
  return column < ((const rows_stage *)stage)->columns ? column : -1;
}

static const mm_stage_class map_class = {.name = "map",
                                         .flags = MM_STAGE_CAN_FAIL | MM_STAGE_KEEPS_ROWS | MM_STAGE_FOREIGN,
                                         .bind = bind,
                                         .open = open,
                                         .close = close,
                                         .leave = leave,
                                         .run = run,
                                         .interrupt = interrupt,
                                         .free = free_stage,
                                         .copy = copy,
                                         .shares = shares};
static const mm_stage_class where_class = {.name = "where",
                                           .flags = MM_STAGE_CAN_FAIL | MM_STAGE_FOREIGN,
                                           .bind = bind,
                                           .open = open,
                                           .close = close,
                                           .leave = leave,
                                           .run = run,
                                           .interrupt = interrupt,
                                           .free = free_stage,
                                           .copy = copy};

static mm_stage *make(const mm_stage_class *vtable, const char *shipment, int64_t size, int32_t columns,
                      const mm_schema *out, int32_t place, mm_error *error) {
  rows_stage *rows = calloc(1, sizeof *rows);
  char *copy = malloc((size_t)size + 1);
  if (!rows || !copy) {
    free(rows);
    free(copy);
    mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a row function");
    return NULL;
  }
  memcpy(copy, shipment, (size_t)size);
  rows->stage.vtable = vtable;
  rows->stage.flags = rows->stage.vtable->flags;
  rows->stage.batch_rows = 32768; /* each call of Lua costs as much as some thousand rows */
  rows->shipment = copy;
  rows->size = size;
  rows->place = place;
  rows->columns = columns;
  pthread_mutex_init(&rows->mutex, NULL);
  if (mm_schema_copy(&rows->stage.out, out, error) < 0) {
    free_stage(&rows->stage);
    return NULL;
  }
  return &rows->stage;
}

static mm_stage *copy(const mm_stage *stage, mm_error *error) {
  const rows_stage *rows = (const rows_stage *)stage;
  return make(stage->vtable, rows->shipment, rows->size, rows->columns, &stage->out, rows->place, error);
}

mm_stage *mm_stage_rows(const char *shipment, int64_t size, const mm_schema *in, const mm_schema *out, bool filter,
                        int32_t place, mm_error *error) {
  return make(filter ? &where_class : &map_class, shipment, size, in->count, out, place, error);
}
