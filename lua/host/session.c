/* session.c - a Lua state with the language in it, for hosts that are not Lua: one thread inside at a time.
 *
 * DESIGN. What a request does is Lua (moonmill.session); this file brings arguments in and texts out. A thread that
 * waits for the lock wakes up now and then to ask its pulse; so does a hook while a script runs, and when the pulse
 * says stop it raises at every instruction until the script has been left, which no pcall of the script can hold up.
 * Plans and scripts are dropped by noting their numbers: who drops may hold locks that the thread inside waits for.
 *
 * SPDX-License-Identifier: MIT */
#include "session.h"
#include "host.h"
#include "state.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { BEAT_MS = 50, INSTRUCTIONS = 10000, HANDLES = 1 << 24, RANGES = 100 };

struct mm_session {
  lua_State *L;
  pthread_mutex_t mutex; /* of the state; knows its thread */
  pid_t process;
  const mm_pulse *pulse; /* of the call that is inside */
  double asked;          /* when the pulse was asked */
  bool stopped;          /* the script is being stopped */
  pthread_mutex_t drops; /* the numbers below; held for a moment */
  mm_buffer dropped;     /* drop_note */
};

typedef struct drop_note {
  int32_t number; /* of a plan, or the handle of a script */
  bool script;
} drop_note;

/* ---- Scripts that run ---- */

static const char key[] = "moonmill.session"; /* of the session in the registry */

static mm_session *session_of(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, key);
  mm_session *session = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return session;
}

static void look(lua_State *L, lua_Debug *event) {
  (void)event;
  mm_session *session = session_of(L);
  double now = mm_host_clock();
  if (!session->stopped && now - session->asked >= BEAT_MS * 1e-3) {
    session->asked = now;
    session->stopped = session->pulse->beat(session->pulse->context) != 0;
    if (session->stopped) lua_sethook(L, look, LUA_MASKCOUNT, 1);
  }
  if (!session->stopped) return;
  lua_pushliteral(L, "stopped");
  lua_error(L);
}

/* guard(chunk, handler): as xpcall, but nothing is returned when the script was stopped. */
static int guard(lua_State *L) {
  mm_session *session = session_of(L);
  session->stopped = false;
  session->asked = mm_host_clock();
  lua_settop(L, 2);
  lua_insert(L, 1);
  if (session->pulse) lua_sethook(L, look, LUA_MASKCOUNT, INSTRUCTIONS);
  int status = lua_pcall(L, 0, 1, 1);
  lua_sethook(L, NULL, 0, 0);
  if (session->stopped) return 0;
  lua_pushboolean(L, status == 0);
  lua_insert(L, -2);
  return 2;
}

/* ---- In and out ---- */

static int load_language(lua_State *L) {
  lua_pushlightuserdata(L, lua_touserdata(L, 1));
  lua_setfield(L, LUA_REGISTRYINDEX, key);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "moonmill.session");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "guard");
  lua_pushcfunction(L, guard);
  lua_call(L, 1, 0);
  static atomic_uint sessions; /* a handle of one that was lost must not mean another script here */
  lua_getfield(L, -1, "number_from");
  lua_pushinteger(L, (lua_Integer)(atomic_fetch_add(&sessions, 1) % RANGES) * HANDLES);
  lua_call(L, 1, 0);
  return 0;
}

mm_session *mm_session_new(mm_error *error) {
  mm_session *session = calloc(1, sizeof *session);
  if (!session) {
    mm_host_fail(error, MM_ENOMEM, "memory", "out of memory for a session");
    return NULL;
  }
  pthread_mutexattr_t kind;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&session->mutex, &kind);
  pthread_mutexattr_destroy(&kind);
  pthread_mutex_init(&session->drops, NULL);
  session->process = getpid();
  session->L = mm_state_new(error);
  int broken = session->L ? lua_cpcall(session->L, load_language, session) : 0;
  if (session->L && !broken) return session;
  if (session->L) mm_state_fail(session->L, broken, MM_EBUG, "lua-state", error);
  mm_session_free(session);
  return NULL;
}

void mm_session_free(mm_session *session) {
  if (!session || session->process != getpid()) return; /* in a child of fork it may be in any state */
  if (session->L) mm_state_close(session->L);
  pthread_mutex_destroy(&session->mutex);
  pthread_mutex_destroy(&session->drops);
  mm_buffer_free(&session->dropped);
  free(session);
}

static void forget_dropped(mm_session *session) {
  lua_State *L = session->L;
  pthread_mutex_lock(&session->drops);
  mm_buffer dropped = session->dropped;
  session->dropped = (mm_buffer){0};
  pthread_mutex_unlock(&session->drops);
  const drop_note *notes = (const drop_note *)(const void *)dropped.data;
  for (int64_t i = 0; i < dropped.size / (int64_t)sizeof *notes; i++) {
    lua_getfield(L, -1, "forget");
    lua_pushinteger(L, notes[i].number);
    lua_pushboolean(L, notes[i].script);
    lua_call(L, 2, 0);
  }
  mm_buffer_free(&dropped);
}

lua_State *mm_session_enter(mm_session *session, const mm_pulse *pulse, mm_error *error) {
  int failed = pthread_mutex_trylock(&session->mutex);
  if (failed && session->process != getpid()) {
    mm_host_fail(error, MM_ESTATE, "forked", "this process was forked while another thread was busy with scripts");
    return NULL;
  }
  while (failed) {
    failed = mm_lock_within(&session->mutex, BEAT_MS);
    if (failed == EDEADLK) { /* this thread has it */
      mm_host_fail(error, MM_ESTATE, "busy", "this thread is already busy with a script");
      return NULL;
    }
    if (failed && pulse && pulse->beat(pulse->context)) {
      mm_host_fail(error, MM_ECANCEL, "cancelled", "the call was cancelled while it waited for a script");
      return NULL;
    }
  }
  if (session->process != getpid()) { /* whoever held the other lock, if any, is not in this child of fork */
    pthread_mutex_init(&session->drops, NULL);
    session->process = getpid();
  }
  session->pulse = pulse;
  return session->L;
}

void mm_session_leave(mm_session *session) {
  lua_settop(session->L, 0);
  session->pulse = NULL;
  pthread_mutex_unlock(&session->mutex);
}

/* ---- Requests ---- */

/* A call of a function of moonmill.session, which returns a status and a text or a number. */
typedef struct request {
  mm_session *session;
  const char *function;
  const char *name; /* first argument, or NULL */
  int32_t number;   /* first argument when there is no name */
  const void *pointers[2];
  const mm_text *texts;
  int32_t count;
  mm_buffer *answer;
  int32_t *result; /* where the number goes, or NULL */
  int status;
  mm_error *error;
} request;

static int invoke(lua_State *L) {
  request *r = lua_touserdata(L, 1);
  luaL_checkstack(L, r->count + 8, "too many arguments");
  lua_getglobal(L, "require");
  lua_pushliteral(L, "moonmill.session");
  lua_call(L, 1, 1);
  forget_dropped(r->session);
  lua_getfield(L, -1, r->function);
  int first = lua_gettop(L);
  if (r->name) lua_pushstring(L, r->name);
  else lua_pushinteger(L, r->number);
  for (int i = 0; i < 2; i++)
    if (r->pointers[i]) lua_pushlightuserdata(L, (void *)(uintptr_t)r->pointers[i]);
  for (int32_t i = 0; i < r->count; i++) lua_pushlstring(L, r->texts[i].bytes, (size_t)r->texts[i].size);
  lua_call(L, lua_gettop(L) - first, 2);
  r->status = (int)lua_tointeger(L, -2);
  if (r->status >= 0 && r->result) {
    *r->result = (int32_t)lua_tointeger(L, -1);
    return 0;
  }
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  int status = mm_buffer_append(r->answer, text, (int64_t)size, r->error);
  if (status < 0) r->status = status;
  else if (r->status < 0) mm_host_fail(r->error, r->status, "session", "%s", text);
  return 0;
}

static int ask(request *r, const mm_pulse *pulse) {
  lua_State *L = mm_session_enter(r->session, pulse, r->error);
  if (!L) return r->error ? r->error->code : MM_ESTATE;
  int status = lua_cpcall(L, invoke, r);
  if (status) r->status = mm_state_fail(L, status, MM_EBUG, "session", r->error);
  mm_session_leave(r->session);
  return r->status;
}

int mm_session_call(mm_session *session, const char *name, const mm_text *arguments, int32_t count,
                    const mm_pulse *pulse, mm_buffer *answer, mm_error *error) {
  mm_error own = {0};
  request r = {.session = session,
               .function = "call",
               .name = name,
               .texts = arguments,
               .count = count,
               .answer = answer,
               .error = error ? error : &own};
  return ask(&r, pulse);
}

int mm_session_plan(mm_session *session, int32_t pipeline, const mm_schema *columns, const mm_text *params,
                    int32_t count, const mm_pulse *pulse, mm_plan **plan, int32_t *number, mm_buffer *failures,
                    mm_error *error) {
  mm_error own = {0};
  request r = {.session = session,
               .function = "plan",
               .number = pipeline,
               .pointers = {columns, plan},
               .texts = params,
               .count = count,
               .answer = failures,
               .result = number,
               .error = error ? error : &own};
  return ask(&r, pulse);
}

int mm_session_failure(mm_session *session, int32_t number, const mm_error *failure, const mm_pulse *pulse,
                       mm_buffer *failures, mm_error *error) {
  mm_error own = {0};
  request r = {.session = session,
               .function = "failure",
               .number = number,
               .pointers = {failure},
               .answer = failures,
               .error = error ? error : &own};
  return ask(&r, pulse);
}

/* Without memory it stays in the session: a leak, no mistake. */
static void note_drop(mm_session *session, drop_note note) {
  if (session->process != getpid()) return;
  pthread_mutex_lock(&session->drops);
  mm_buffer_append(&session->dropped, &note, sizeof note, NULL);
  pthread_mutex_unlock(&session->drops);
}

void mm_session_plan_drop(mm_session *session, int32_t number) { note_drop(session, (drop_note){number, false}); }
void mm_session_drop(mm_session *session, int32_t handle) { note_drop(session, (drop_note){handle, true}); }

bool mm_session_lost(mm_session *session) {
  if (session->process == getpid()) return false;
  if (pthread_mutex_trylock(&session->mutex)) return true;
  pthread_mutex_unlock(&session->mutex);
  return false;
}
