/* plan.h - the Plan object, for the files that run it.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

typedef struct plan_object {
  PyObject_HEAD
  module_state *state;
  mm_plan *plan;
  struct mm_session *session; /* one reference */
  int32_t number; /* in that session, for failures */
} plan_object;

/* The plan that an object is; NULL and TypeError. */
plan_object *mmpy_plan_of(module_state *state, PyObject *object);
/* A plan of the script `arguments[0]` of the session, over columns of `arguments[1..3]` (names, types, nullables), with
 * the parameters `arguments[4]`; NULL and an exception. */
PyObject *mmpy_plan_bind(module_state *state, struct mm_session *session, PyObject *const *arguments);
/* Raise what the failure of one of its jobs means in the script. Always NULL. */
PyObject *mmpy_plan_raise(plan_object *plan, const mm_error *failure);
