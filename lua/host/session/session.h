/* session.h - a script for a host that is not Lua: the Python extension and others like it.
 *
 * DESIGN. A session is one Lua state with the language in it, for one script; jobs never run in it. A request is the
 * name of a function of moonmill.session.requests with texts as arguments; an answer is JSON. What a plan is made of
 * are stages of the core, so that jobs are made from it without the session (mm_plan_job).
 *
 * All calls may come from any thread; one that is already inside the session gets MM_ESTATE. A call that fails fills in
 * `failures` with a JSON array of objects as `--errors json` prints them, with `code`, `id`, `message`, `hint`, `file`,
 * `line`, `column`, `row`, `field`, `value`, `stage`, `script` and, where Lua code failed, `frames`: innermost first,
 * objects of `file`, `line`, `function`. Where not even that could be made, `failures` stays empty and `error` tells.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "state/host.h"
#pragma GCC visibility push(default)

typedef struct mm_session mm_session; /* counted */

/* Bytes of the caller. */
typedef struct mm_text { const char *bytes; int64_t size; } mm_text;

mm_session *mm_session_new(mm_error *error); /* the state is made by the first request */
void        mm_session_retain(mm_session *session);
void        mm_session_release(mm_session *session); /* NULL is allowed */
/* Was its state given up? So it is when a request was stopped or ran out of memory, and in the child of a fork when a
 * thread of the parent was inside. All requests get MM_ESTATE from then on: load the script into a new session. */
bool        mm_session_lost(const mm_session *session);
/* All states free what nothing refers to any more; what they then hold, in bytes. A session that is busy is left out.
 * */
int64_t     mm_sessions_collect(void);

/* Ask the function `name`; `answer` (empty) receives JSON text, or the failures when the status is negative. `pulse`
 * may be NULL.
 *   load(kind, name, text, module, text, ...)
 *       kind "file": name is a path; "text": a chain or script, with the texts of its modules -> what describe answers
 *   describe(handle)
 *       -> {handle, kind: "pipeline"|"module", name, text, modules: {name: text}}, and of pipelines about,
 *       stages: [name], params: [{name, type, nullable, required, default, help}], input: null|{whole}|{fields, rest},
 *       reach: "rows"|"mergeable"|"global", half: null|"partial"|"merge"
 *   partial(handle), merge(handle)
 *       -> what describe answers about a new handle: the half of a pipeline for parts of the rows, and the half for
 *       what that gave of all parts, joined
 *   check(handle, columns, name, value, ...)
 *       -> {reads: [{name, type, nullable}], gives: [...], dropped: [name]}, or null where only data can tell
 *   output(handle, columns, name, value, ...)   -> {columns: [{name, type, nullable}]}
 *   explain(handle, columns, name, value, ...)  -> text
 *   info(handle)                                -> text
 *   params(handle, name, value, ...)            values of parameters are checked alone
 *   reading(handle, name, value, ...)
 *       options of reading files, a list as its name again and again; the handle, or "", is of a pipeline whose
 *       parameters could be meant -> [[name, value]], as mm_input_options takes them
 *   reading_options()                           -> [{name, kind, help, default, choices}], those that there are
 * `columns` is "" for those that the pipeline declares, or lines "name\ttype\tnullable\n", nullable 0 or 1; a tab, a
 * line end and a backslash in a name are written \t, \n and \\. Parameters that are not given count as null. */
int mm_session_call(mm_session *session, const char *name, const mm_text *arguments, int32_t count,
                    const mm_pulse *pulse, mm_buffer *answer, mm_error *error);

/* Bind a pipeline to columns and parameters ("name", "value" in turns). The plan reads the columns of its
 * mm_plan_reads, by name, of the types that `columns` has; those that are not nullable there must come without nulls.
 * `number` names the plan for mm_session_failure. */
int mm_session_plan(mm_session *session, int32_t pipeline, const mm_schema *columns, const mm_text *params,
                    int32_t count, const mm_pulse *pulse, mm_plan **plan, int32_t *number, mm_buffer *failures,
                    mm_error *error);
void mm_session_plan_drop(mm_session *session, int32_t number); /* never waits */
void mm_session_drop(mm_session *session, int32_t handle);      /* as the request, but never waits */

/* What the failure of a job of plan `number` means in the script: JSON as above. */
int mm_session_failure(mm_session *session, int32_t number, const mm_error *failure, const mm_pulse *pulse,
                       mm_buffer *failures, mm_error *error);

#pragma GCC visibility pop
