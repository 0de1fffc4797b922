/* plan.h - the Plan object, for the files that run it.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

typedef struct plan_object {
  PyObject_HEAD
  module_state *state;
  mm_plan *plan;
  struct mm_session *session;
  int32_t number; /* in that session, for failures */
} plan_object;

/* The plan that an object is; NULL and TypeError. */
plan_object *mm_plan_of(module_state *state, PyObject *object);
/* Raise what the failure of one of its jobs means in the script. Always NULL. */
PyObject *mm_plan_raise(plan_object *plan, const mm_error *failure);
