/* session.h - the language for a host that is not Lua: the Python extension and its kin.
 *
 * DESIGN. A session is one Lua state with the language in it, behind a lock. Scripts are loaded into it, asked about and planned;
 * jobs never run in it. A request is the name of a function of moonmill.session with texts as arguments; an answer is JSON. What a
 * plan is made of are stages of the core, so that jobs are made from it without the session (mm_plan_job).
 *
 * All calls may come from any thread. A call that fails fills in `failures` with a JSON array of objects as `--errors json` prints
 * them, with `code`, `id`, `message`, `hint`, `file`, `line`, `column`, `row`, `field`, `value`, `stage`, `script` and, where Lua code failed, `frames`: innermost
 * first, objects of `file`, `line`, `function`.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "moonmill.h"
#pragma GCC visibility push(default)

typedef struct mm_session mm_session;

/* Bytes of the caller. */
typedef struct mm_text { const char *bytes; int64_t size; } mm_text;

mm_session *mm_session_new(mm_error *error);
void        mm_session_free(mm_session *session);

/* Ask the function `name`; `answer` (empty) receives JSON text, or the failures when the status is negative.
 *   load(kind, name, text)      kind "file": name is a path; "text": a chain or script. -> {"handle": n, "kind": "pipeline"|"module", ...}
 *   drop(handle)
 *   describe(handle)            -> {about, params: [{name, type, nullable, required, default, help}], input, stages, file}
 *   check(handle), explain(handle, columns), info(handle), output(handle, columns, name, value, ...)
 * `columns` is JSON-free: "name\ttype\tnullable\n" lines as moonmill.session reads them. */
int mm_session_call(mm_session *session, const char *name, const mm_text *arguments, int32_t count, mm_buffer *answer,
                    mm_error *error);

/* Bind a pipeline to columns and parameters ("name", "value" in turns). The plan reads the columns of its mm_plan_reads, by name; types
 * differ from the declared ones only where the plan casts. `number` names the plan for mm_session_failure. */
int mm_session_plan(mm_session *session, int32_t pipeline, const mm_schema *columns, const mm_text *params,
                    int32_t count, mm_plan **plan, int32_t *number, mm_buffer *failures, mm_error *error);
void mm_session_plan_drop(mm_session *session, int32_t number);

/* What the failure of a job of plan `number` means in the script: JSON as above. */
int mm_session_failure(mm_session *session, int32_t number, const mm_error *failure, mm_buffer *failures,
                       mm_error *error);

#pragma GCC visibility pop
