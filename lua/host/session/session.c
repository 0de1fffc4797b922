/* session.c - a script in a Lua state of its own, for hosts that are not Lua: one thread inside at a time.
 *
 * DESIGN. What a request does is Lua (moonmill.session.requests); this file brings arguments in and texts out. A
 * request runs on a thread of the pool, while the caller waits and asks its pulse. When that says stop, a hook raises
 * at every instruction until Lua has been left, which no pcall of the script can hold up. Within a call of C that looks
 * for no hook the caller leaves: the state and its thread stay behind until the call returns, if ever. So a request
 * owns all that it uses.
 *
 * A state that was stopped, or ran out of memory, may be in the middle of anything. It is thrown away, and the session
 * is lost: its host loads the script anew.
 *
 * Plans and scripts are dropped by noting their numbers: who drops may hold locks that the thread inside waits for.
 *
 * SPDX-License-Identifier: MIT */
#include "session/session.h"
#include "state/host.h"
#include "luajit.h"
#include "session/abandonable_call.h"
#include "state/watchdog.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BEAT_MS = 50 };

struct mm_session {
  mm_watchdog watch; /* watch.L: the state, NULL before the first request */
  atomic_int references;
  atomic_bool lost;
  pthread_mutex_t mutex; /* all below */
  pthread_cond_t changed;
  bool busy;
  const void *owner; /* a mark of the thread whose request is inside */
  mm_buffer dropped; /* drop_note */
  mm_session *next;
};

typedef struct drop_note {
  int32_t number; /* of a plan, or the handle of a script */
  bool script;
} drop_note;

/* A call of a function of moonmill.session.requests, which returns a status and a text or a number. */
typedef struct request {
  mm_session *session;
  const char *function;
  char *name;       /* first argument, or NULL */
  int32_t number;   /* first argument when there is no name */
  mm_schema schema; /* a light pointer, if has_schema */
  bool has_schema;
  bool plans;         /* a light pointer to `plan` */
  const mm_error *of; /* a light pointer to `failure`, unless NULL */
  mm_error failure;
  char *bytes; /* of the texts */
  mm_text *texts;
  int32_t count;
  mm_plan *plan;    /* result */
  mm_buffer answer; /* result, or the failures */
  int32_t result;
  int status;
  mm_error error;
} request;

static _Thread_local char self; /* its address marks a thread */

static pthread_mutex_t all_mutex = PTHREAD_MUTEX_INITIALIZER;
static mm_session *all;

/* ---- Sessions ---- */

/* The child of a fork: who was inside is in the parent. The state is left as it is. */
static void session_forked(mm_watchdog *watch) {
  mm_session *session = (mm_session *)watch;
  pthread_mutex_init(&session->mutex, NULL);
  mm_cond_init(&session->changed);
  atomic_store(&watch->phase, MM_WATCHDOG_IDLE);
  if (session->busy) atomic_store(&session->lost, true);
}

static void hold_all(void) { pthread_mutex_lock(&all_mutex); }
static void let_go_all(void) { pthread_mutex_unlock(&all_mutex); }
static void prepare_forks(void) { pthread_atfork(hold_all, let_go_all, let_go_all); }

mm_session *mm_session_new(mm_error *error) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, prepare_forks);
  mm_session *session = calloc(1, sizeof *session);
  if (!session) {
    mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a session");
    return NULL;
  }
  atomic_init(&session->references, 1);
  pthread_mutex_init(&session->mutex, NULL);
  mm_cond_init(&session->changed);
  session->watch.forked = session_forked;
  mm_watchdog_add(&session->watch);
  pthread_mutex_lock(&all_mutex);
  session->next = all;
  all = session;
  pthread_mutex_unlock(&all_mutex);
  return session;
}

void mm_session_retain(mm_session *session) { atomic_fetch_add(&session->references, 1); }

void mm_session_release(mm_session *session) {
  if (!session) return;
  pthread_mutex_lock(&all_mutex); /* collecting retains what it finds */
  bool last = atomic_fetch_sub(&session->references, 1) == 1;
  for (mm_session **at = &all; last && *at; at = &(*at)->next) {
    if (*at != session) continue;
    *at = session->next;
    break;
  }
  pthread_mutex_unlock(&all_mutex);
  if (!last) return;
  mm_watchdog_remove(&session->watch);
  if (!session->busy) mm_state_close(session->watch.L); /* else this is the child of a fork */
  pthread_mutex_destroy(&session->mutex);
  pthread_cond_destroy(&session->changed);
  mm_buffer_free(&session->dropped);
  free(session);
}

bool mm_session_lost(const mm_session *session) { return atomic_load(&session->lost); }

/* Become the one inside. Fails where this thread is inside already, the session is lost, or the pulse says stop. */
static int enter_session(mm_session *session, const mm_pulse *pulse, mm_error *error) {
  pthread_mutex_lock(&session->mutex);
  while (session->busy && !mm_session_lost(session)) {
    bool own = session->owner == &self;
    struct timespec until = mm_moment_after(BEAT_MS);
    if (!own) pthread_cond_timedwait(&session->changed, &session->mutex, &until);
    if (!own && !session->busy) break;
    pthread_mutex_unlock(&session->mutex);
    if (own) return mm_host_fail(error, MM_ESTATE, "busy", "this thread is already busy with this script");
    if (pulse && pulse->beat(pulse->context))
      return mm_host_fail(error, MM_ECANCEL, "cancelled", "the call was cancelled while it waited for a script");
    pthread_mutex_lock(&session->mutex);
  }
  bool lost = mm_session_lost(session);
  if (!lost) {
    session->busy = true;
    session->owner = &self;
  }
  pthread_mutex_unlock(&session->mutex);
  return lost ? mm_host_fail(error, MM_ESTATE, "lost", "the state of the script was given up") : 0;
}

static void leave_session(mm_session *session) {
  pthread_mutex_lock(&session->mutex);
  session->busy = false;
  session->owner = NULL;
  pthread_cond_broadcast(&session->changed);
  pthread_mutex_unlock(&session->mutex);
}

/* ---- On the thread of a request ---- */

static int load_language(lua_State *L) {
  mm_watchdog_bind(lua_touserdata(L, 1), L);
  mm_state_require(L, "moonmill.session.requests");
  return 0;
}

static int make_state(mm_session *session, mm_error *error) {
  lua_State *L = mm_state_new(error);
  if (!L) return error->code;
  int broken = lua_cpcall(L, load_language, &session->watch);
  if (!broken) return 0;
  int status = mm_state_fail(L, broken, MM_EBUG, "lua-state", error);
  session->watch.L = NULL;
  mm_state_close(L);
  return status;
}

/* Leave moonmill.session.requests on the stack, which is loaded, without the plans and scripts that were dropped. */
static void push_language(mm_session *session) {
  lua_State *L = session->watch.L;
  lua_getglobal(L, "require");
  lua_pushliteral(L, "moonmill.session.requests");
  lua_call(L, 1, 1);
  pthread_mutex_lock(&session->mutex);
  mm_buffer dropped = session->dropped;
  session->dropped = (mm_buffer){0};
  pthread_mutex_unlock(&session->mutex);
  const drop_note *notes = (const drop_note *)(const void *)dropped.data;
  for (int64_t i = 0; i < dropped.size / (int64_t)sizeof *notes; i++) {
    lua_getfield(L, -1, "forget");
    lua_pushinteger(L, notes[i].number);
    lua_pushboolean(L, notes[i].script);
    lua_call(L, 2, 0);
  }
  mm_buffer_free(&dropped);
}

static int invoke_request(lua_State *L) {
  request *r = lua_touserdata(L, 1);
  luaL_checkstack(L, r->count + 8, "too many arguments");
  push_language(r->session);
  lua_getfield(L, -1, r->function);
  int first = lua_gettop(L);
  if (r->name) lua_pushstring(L, r->name);
  else lua_pushinteger(L, r->number);
  if (r->has_schema) lua_pushlightuserdata(L, &r->schema);
  if (r->plans) lua_pushlightuserdata(L, &r->plan);
  if (r->of) lua_pushlightuserdata(L, &r->failure);
  for (int32_t i = 0; i < r->count; i++) lua_pushlstring(L, r->texts[i].bytes, (size_t)r->texts[i].size);
  lua_call(L, lua_gettop(L) - first, 2);
  r->status = (int)lua_tointeger(L, -2);
  if (r->status >= 0 && r->plans) {
    r->result = (int32_t)lua_tointeger(L, -1);
    return 0;
  }
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  int status = mm_buffer_append(&r->answer, text, (int64_t)size, &r->error);
  if (status < 0) r->status = status;
  else if (r->status < 0) mm_host_fail(&r->error, r->status, "session", "%s", text);
  return 0;
}

/* True when the state can be used on. */
static bool run_request(request *r) {
  mm_session *session = r->session;
  if (!session->watch.L && (r->status = make_state(session, &r->error)) < 0) return false;
  lua_State *L = session->watch.L;
  if (!mm_state_push(L, invoke_request, r, &r->error)) {
    r->status = r->error.code;
    return false;
  }
  bool stopped;
  int broken = mm_watchdog_call(&session->watch, 1, 0, 0, NULL, &stopped);
  if (stopped) r->status = mm_host_fail(&r->error, MM_ECANCEL, "cancelled", "the script was stopped");
  else if (broken) r->status = mm_state_fail(L, broken, MM_EBUG, "session", &r->error);
  if (stopped) mm_buffer_free(&r->answer);
  lua_settop(L, 0);
  return !stopped && !broken && r->status != MM_ENOMEM;
}

static void free_request(void *context) {
  request *r = context;
  mm_session_release(r->session);
  mm_plan_release(r->plan);
  mm_schema_free(&r->schema);
  mm_buffer_free(&r->answer);
  free(r->name);
  free(r->bytes);
  free(r->texts);
  free(r);
}

static void perform_request(void *context) {
  request *r = context;
  mm_session *session = r->session;
  mm_session_retain(session);
  if (!run_request(r)) {
    atomic_store(&session->lost, true);
    lua_State *L = session->watch.L;
    session->watch.L = NULL;
    mm_state_close(L);
  }
  leave_session(session);
  mm_session_release(session);
}

/* ---- On the thread of the caller ---- */

/* Copies of the texts, one behind the other. */
static bool own_texts(request *r, const char *name, const mm_text *texts, int32_t count) {
  size_t size = 0;
  for (int32_t i = 0; i < count; i++) size += (size_t)texts[i].size;
  r->bytes = malloc(size + 1);
  r->texts = calloc((size_t)count + 1, sizeof *r->texts);
  r->name = name ? strdup(name) : NULL;
  if (!r->bytes || !r->texts || (name && !r->name)) return false;
  char *at = r->bytes;
  for (int32_t i = 0; i < count; i++) {
    if (texts[i].size) memcpy(at, texts[i].bytes, (size_t)texts[i].size);
    r->texts[i] = (mm_text){at, texts[i].size};
    at += texts[i].size;
  }
  r->count = count;
  return true;
}

/* NULL and an error when there is no memory. */
static request *new_request(mm_session *session, const char *function, const char *name, const mm_text *texts,
                            int32_t count, mm_error *error) {
  request *r = calloc(1, sizeof *r);
  if (r) {
    mm_session_retain(session);
    r->session = session;
    r->function = function;
    if (own_texts(r, name, texts, count)) return r;
    free_request(r);
  }
  mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a request to a script");
  return NULL;
}

static void stop_request(void *context) { mm_watchdog_stop(&((request *)context)->session->watch); }

/* Takes the request. Its results go to `answer` (empty), `plan` and `result`, where they are not NULL. */
static int ask_session(request *r, const mm_pulse *pulse, mm_buffer *answer, mm_plan **plan, int32_t *result,
                       mm_error *error) {
  int status = enter_session(r->session, pulse, error);
  if (status < 0) {
    free_request(r);
    return status;
  }
  static const abandonable_call task = {perform_request, stop_request, free_request};
  mm_session *session = r->session;
  if (!abandonable_call_run(&task, r, pulse)) {
    atomic_store(&session->lost, true);
    return mm_host_fail(error, MM_ECANCEL, "cancelled", "the script is within a call that cannot be stopped");
  }
  status = r->status;
  if (status < 0 && error) *error = r->error;
  *answer = r->answer;
  r->answer = (mm_buffer){0};
  if (plan) {
    *plan = r->plan;
    r->plan = NULL;
  }
  if (result) *result = r->result;
  free_request(r);
  return status;
}

int mm_session_call(mm_session *session, const char *name, const mm_text *arguments, int32_t count,
                    const mm_pulse *pulse, mm_buffer *answer, mm_error *error) {
  request *r = new_request(session, "call", name, arguments, count, error);
  return r ? ask_session(r, pulse, answer, NULL, NULL, error) : MM_ENOMEM;
}

int mm_session_plan(mm_session *session, int32_t pipeline, const mm_schema *columns, const mm_text *params,
                    int32_t count, const mm_pulse *pulse, mm_plan **plan, int32_t *number, mm_buffer *failures,
                    mm_error *error) {
  request *r = new_request(session, "plan", NULL, params, count, error);
  if (!r) return MM_ENOMEM;
  r->number = pipeline;
  r->has_schema = r->plans = true;
  int status = mm_schema_copy(&r->schema, columns, error);
  if (status >= 0) return ask_session(r, pulse, failures, plan, number, error);
  free_request(r);
  return status;
}

int mm_session_failure(mm_session *session, int32_t number, const mm_error *failure, const mm_pulse *pulse,
                       mm_buffer *failures, mm_error *error) {
  request *r = new_request(session, "failure", NULL, NULL, 0, error);
  if (!r) return MM_ENOMEM;
  r->number = number;
  r->failure = *failure;
  r->of = &r->failure;
  return ask_session(r, pulse, failures, NULL, NULL, error);
}

/* Without memory it stays in the session: a leak, no mistake. */
static void note_drop(mm_session *session, drop_note note) {
  pthread_mutex_lock(&session->mutex);
  mm_buffer_append(&session->dropped, &note, sizeof note, NULL);
  pthread_mutex_unlock(&session->mutex);
}

void mm_session_plan_drop(mm_session *session, int32_t number) { note_drop(session, (drop_note){number, false}); }
void mm_session_drop(mm_session *session, int32_t handle) { note_drop(session, (drop_note){handle, true}); }

/* ---- Garbage ---- */

/* Machine code first, which keeps scripts that it ran. Twice: finalizers of the first round may let go of more. */
static int collect_state(lua_State *L) {
  push_language(lua_touserdata(L, 1));
  luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_FLUSH);
  lua_gc(L, LUA_GCCOLLECT, 0);
  lua_gc(L, LUA_GCCOLLECT, 0);
  return 0;
}

/* A session that was entered. */
static int64_t collect_in(mm_session *session) {
  lua_State *L = session->watch.L;
  if (!L) return 0;
  if (lua_cpcall(L, collect_state, session)) lua_settop(L, 0);
  return ((int64_t)lua_gc(L, LUA_GCCOUNT, 0) << 10) + lua_gc(L, LUA_GCCOUNTB, 0);
}

int64_t mm_sessions_collect(void) {
  int64_t bytes = 0;
  mm_session *session, *before = NULL;
  for (;;) {
    pthread_mutex_lock(&all_mutex);
    session = before ? before->next : all;
    if (session) mm_session_retain(session);
    pthread_mutex_unlock(&all_mutex);
    mm_session_release(before);
    if (!session) return bytes;
    pthread_mutex_lock(&session->mutex);
    bool idle = !session->busy && !mm_session_lost(session);
    if (idle) session->busy = true;
    pthread_mutex_unlock(&session->mutex);
    if (idle) {
      bytes += collect_in(session);
      leave_session(session);
    }
    before = session;
  }
}
