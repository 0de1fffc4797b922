/* row_stage.c - the stage that calls a Lua function for each row: a Lua state per worker, one call of Lua per batch.
 *
 * DESIGN. Where the function could be made a vector program (moonmill.rows.vector.vectorise), the program runs each
 * batch first. It fails at rows that it cannot answer for; then what it gave is dropped and the batch is given to the
 * function, which raises the true error, or has an answer. Both give the same bits, so the result does not depend on
 * which one ran. A Lua state is made when it is first needed.
 *
 * DESIGN. The loop over rows is Lua (moonmill.rows), compiled by LuaJIT; this file makes the states, drives batches and
 * stops what runs too long. A worker notes under its mutex when it is inside Lua; interrupt() takes that mutex and sets
 * a hook that raises at the next instruction or loop, again and again until Lua has been left. LuaJIT is built so that
 * compiled loops look for hooks. A hooked state is never entered again.
 *
 * SPDX-License-Identifier: MIT */
#include "rows/rows.h"
#include "state/state.h"
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
  mm_schema in;          /* what comes in */
  mm_stage *program;     /* of a program, run before Lua is asked; NULL: none */
  int64_t now;           /* what os.time gives in row functions */
  pthread_mutex_t mutex; /* the list of locals; taken before a local's */
  rows_local *locals;
} rows_stage;

struct rows_local {
  mm_job *job;
  void *program;         /* local of rows_stage.program */
  int32_t tried, failed; /* batches given to the program */
  lua_State *L;          /* NULL: not needed yet */
  int run, last_look;    /* references to moonmill.rows.worker.worker's functions */
  pthread_mutex_t mutex; /* all below */
  bool inside, hooked;
  rows_local *next;
};

/* The shipment names columns by their place, so the schema must be the one that the stage was made for. */
static int rows_bind(mm_stage *stage, const mm_schema *in, mm_error *error) {
  rows_stage *rows = (rows_stage *)stage;
  rows->now = (int64_t)time(NULL);
  if (in->count != rows->in.count)
    return mm_host_fail(error, MM_EBUG, "rows-schema", "a row function made for %d columns gets %d", rows->in.count,
                        in->count);
  return rows->program ? rows->program->vtable->bind(rows->program, in, error) : 0;
}

/* What a protected call is about: pushing its arguments may take memory, so it is done within the call. */
typedef struct opening {
  rows_stage *rows;
  rows_local *self;
} opening;

static int open_worker(lua_State *L) {
  opening *o = lua_touserdata(L, 1);
  mm_state_require(L, "moonmill.rows.worker.worker");
  lua_getfield(L, -1, "open");
  lua_pushlstring(L, o->rows->shipment, (size_t)o->rows->size);
  lua_pushlightuserdata(L, &o->rows->stage);
  lua_pushlightuserdata(L, o->self->job);
  lua_pushnumber(L, (double)o->rows->now);
  lua_call(L, 4, 2);
  o->self->last_look = luaL_ref(L, LUA_REGISTRYINDEX);
  o->self->run = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

/* Make the worker's Lua state, unless there is one. */
static int need_lua(rows_stage *rows, rows_local *self, mm_error *error) {
  if (self->L) return 0;
  lua_State *L = mm_state_new(error);
  if (!L) return error ? error->code : MM_ENOMEM;
  opening o = {rows, self};
  int broken = lua_cpcall(L, open_worker, &o);
  if (broken) {
    int status = mm_state_fail(L, broken, MM_ESCRIPT, "script", error);
    mm_state_close(L);
    return status;
  }
  pthread_mutex_lock(&self->mutex);
  self->L = L;
  pthread_mutex_unlock(&self->mutex);
  return 0;
}

/* What the engine said of this stage holds for the program too. Only the first worker writes: others may be running. */
static int open_program(rows_stage *rows, rows_local *self, mm_error *error) {
  mm_stage *program = rows->program;
  if (!program) return 0;
  pthread_mutex_lock(&rows->mutex);
  if (program->track_rows != rows->stage.track_rows || program->to != rows->stage.to) {
    program->track_rows = rows->stage.track_rows;
    program->to = rows->stage.to;
    program->to_count = rows->stage.to_count;
  }
  pthread_mutex_unlock(&rows->mutex);
  return program->vtable->open(program, self->job, &self->program, error);
}

static void rows_close(mm_stage *stage, void *local);

static int rows_open(mm_stage *stage, mm_job *job, void **local, mm_error *error) {
  rows_stage *rows = (rows_stage *)stage;
  rows_local *self = calloc(1, sizeof *self);
  if (!self) return mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a worker");
  self->job = job;
  pthread_mutex_init(&self->mutex, NULL);
  pthread_mutex_lock(&rows->mutex);
  self->next = rows->locals;
  rows->locals = self;
  pthread_mutex_unlock(&rows->mutex);
  int status = open_program(rows, self, error);
  if (status >= 0 && !rows->program) status = need_lua(rows, self, error);
  if (status < 0) {
    rows_close(stage, self);
    return status;
  }
  *local = self;
  return 0;
}

static void rows_close(mm_stage *stage, void *local) {
  rows_stage *rows = (rows_stage *)stage;
  rows_local *self = local;
  pthread_mutex_lock(&rows->mutex);
  for (rows_local **at = &rows->locals; *at; at = &(*at)->next) {
    if (*at != self) continue;
    *at = self->next;
    break;
  }
  pthread_mutex_unlock(&rows->mutex);
  if (self->L) {
    lua_sethook(self->L, NULL, 0, 0); /* so that finalisers run */
    mm_state_close(self->L);
  }
  if (rows->program) rows->program->vtable->close(rows->program, self->program);
  pthread_mutex_destroy(&self->mutex);
  free(self);
}

/* False when the state was hooked: Lua must not be entered. */
static bool enter_lua(rows_local *self) {
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

/* A call of one of the worker's functions. */
typedef struct work {
  int function; /* a reference */
  const mm_batch *in;
  mm_batch *out;
  mm_error failure;
  int status;
} work;

static int call_worker(lua_State *L) {
  work *w = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, w->function);
  if (w->in) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)w->in);
    lua_pushlightuserdata(L, w->out);
  }
  lua_pushlightuserdata(L, &w->failure);
  lua_call(L, w->in ? 3 : 1, 1);
  w->status = (int)lua_tointeger(L, -1);
  return 0;
}

/* Call a function of the worker, once more without garbage where memory ran out: the rows of a batch do not know of
 * each other. False when the job was cancelled meanwhile. */
static bool call_lua(rows_local *self, work *w) {
  lua_State *L = self->L;
  for (int attempt = 0;; attempt++) {
    int broken = lua_cpcall(L, call_worker, w);
    if (broken) w->status = mm_state_fail(L, broken, MM_EBUG, "rows", &w->failure);
    lua_settop(L, 0);
    if (w->status != MM_ENOMEM || attempt > 0 || came_out(self)) break;
    if (w->out) mm_batch_resize(w->out, 0, NULL);
    if (!enter_lua(self) || !mm_state_collect(L)) break;
  }
  return !came_out(self);
}

static int run_lua(mm_stage *stage, rows_local *self, const mm_batch *in, mm_batch *out, mm_error *error) {
  int made = need_lua((rows_stage *)stage, self, error);
  if (made < 0) return made;
  if (!enter_lua(self)) return fail_cancelled(out, error);
  work w = {.function = self->run, .in = in, .out = out};
  if (!call_lua(self, &w)) return fail_cancelled(out, error);
  if (w.status < 0) {
    if (w.status == MM_ENOMEM) mm_batch_resize(out, 0, NULL);
    if (error) {
      *error = w.failure;
      error->place = ((rows_stage *)stage)->place;
    }
  }
  return w.status;
}

/* The program takes for granted that columns which are not nullable have no nulls. */
static bool as_declared(const rows_stage *rows, const mm_batch *in) {
  for (int32_t i = 0; i < rows->in.count; i++)
    if (!rows->in.fields[i].nullable && in->columns[i].valid && mm_column_null_count(&in->columns[i]) > 0) return false;
  return true;
}

/* A program that fails for most batches is not worth its time. */
static bool worth_trying(const rows_stage *rows, const rows_local *self) {
  return rows->program && (self->tried < 8 || 2 * self->failed < self->tried);
}

static int rows_run(mm_stage *stage, void *local, const mm_batch *in, mm_batch *out, mm_error *error) {
  rows_stage *rows = (rows_stage *)stage;
  rows_local *self = local;
  if (worth_trying(rows, self) && as_declared(rows, in)) {
    mm_error failure;
    self->tried++;
    int status = rows->program->vtable->run(rows->program, self->program, in, out, &failure);
    if (status >= 0) return status;
    if (status == MM_ENOMEM) {
      if (error) *error = failure;
      return status;
    }
    self->failed++;
    mm_batch_resize(out, 0, NULL);
  }
  return run_lua(stage, self, in, out, error);
}

/* Did the function change what it captured after the last comparison? */
static int rows_leave(mm_stage *stage, void *local, mm_error *error) {
  rows_local *self = local;
  if (!self->L || !enter_lua(self)) return 0;
  work w = {.function = self->last_look};
  if (!call_lua(self, &w) || w.status >= 0) return 0;
  *error = w.failure;
  error->place = ((rows_stage *)stage)->place;
  return w.status;
}

static void rows_interrupt(mm_stage *stage) {
  rows_stage *rows = (rows_stage *)stage;
  pthread_mutex_lock(&rows->mutex);
  for (rows_local *self = rows->locals; self; self = self->next) {
    pthread_mutex_lock(&self->mutex);
    self->hooked = true;
    if (self->L && self->inside) lua_sethook(self->L, mm_state_stop, LUA_MASKCOUNT, 1);
    pthread_mutex_unlock(&self->mutex);
  }
  pthread_mutex_unlock(&rows->mutex);
}

static void free_stage(mm_stage *stage) {
  rows_stage *rows = (rows_stage *)stage;
  mm_stage_free(rows->program);
  mm_schema_free(&stage->out);
  mm_schema_free(&rows->in);
  pthread_mutex_destroy(&rows->mutex);
  free(rows->shipment);
  free(rows);
}

static mm_stage *rows_copy(const mm_stage *stage, mm_error *error);

/* Results are appended to the columns that come in. */
static int32_t rows_shares(const mm_stage *stage, int32_t column) {
  return column < ((const rows_stage *)stage)->in.count ? column : -1;
}

static const mm_stage_class map_class = {.name = "map",
                                         .flags = MM_STAGE_CAN_FAIL | MM_STAGE_KEEPS_ROWS | MM_STAGE_USER_CODE,
                                         .bind = rows_bind,
                                         .open = rows_open,
                                         .close = rows_close,
                                         .leave = rows_leave,
                                         .run = rows_run,
                                         .interrupt = rows_interrupt,
                                         .free = free_stage,
                                         .copy = rows_copy,
                                         .shares = rows_shares};
static const mm_stage_class where_class = {.name = "where",
                                           .flags = MM_STAGE_CAN_FAIL | MM_STAGE_USER_CODE,
                                           .bind = rows_bind,
                                           .open = rows_open,
                                           .close = rows_close,
                                           .leave = rows_leave,
                                           .run = rows_run,
                                           .interrupt = rows_interrupt,
                                           .free = free_stage,
                                           .copy = rows_copy};

/* Takes the program's stage, NULL when there is none. */
static mm_stage *make_stage(const mm_stage_class *vtable, const char *shipment, int64_t size, const mm_schema *in,
                            const mm_schema *out, int32_t place, mm_stage *program, mm_error *error) {
  rows_stage *rows = calloc(1, sizeof *rows);
  char *bytes = malloc((size_t)size + 1);
  if (!rows || !bytes) {
    free(rows);
    free(bytes);
    mm_stage_free(program);
    mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a row function");
    return NULL;
  }
  memcpy(bytes, shipment, (size_t)size);
  rows->stage.vtable = vtable;
  rows->stage.flags = rows->stage.vtable->flags;
  if (program) rows->stage.flags &= ~MM_STAGE_USER_CODE; /* what has no loop comes to an end */
  /* Each call of Lua costs as much as some thousand rows. */
  rows->stage.batch_rows = program ? program->batch_rows : 32768;
  rows->shipment = bytes;
  rows->size = size;
  rows->place = place;
  rows->program = program;
  pthread_mutex_init(&rows->mutex, NULL);
  if (mm_schema_copy(&rows->in, in, error) < 0 || mm_schema_copy(&rows->stage.out, out, error) < 0) {
    free_stage(&rows->stage);
    return NULL;
  }
  return &rows->stage;
}

static mm_stage *rows_copy(const mm_stage *stage, mm_error *error) {
  const rows_stage *rows = (const rows_stage *)stage;
  mm_stage *program = rows->program ? rows->program->vtable->copy(rows->program, error) : NULL;
  if (rows->program && !program) return NULL;
  return make_stage(stage->vtable, rows->shipment, rows->size, &rows->in, &stage->out, rows->place, program, error);
}

mm_stage *mm_stage_rows(const char *shipment, int64_t size, const mm_schema *in, const mm_schema *out, bool filter,
                        int32_t place, mm_program *take, mm_error *error) {
  mm_stage *program = take ? mm_stage_program(take, out, error) : NULL;
  if (take && !program) return NULL;
  return make_stage(filter ? &where_class : &map_class, shipment, size, in, out, place, program, error);
}
