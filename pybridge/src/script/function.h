/* function.h - modules of typed functions and their functions, for the files that make and call them.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"
#include "function_module.h"

typedef struct module_object {
  PyObject_HEAD module_state *state;
  mm_module *module;
  PyObject *name, *texts; /* what it was made of: str, tuple of str */
} module_object;

typedef struct function_object {
  PyObject_HEAD vectorcallfunc vectorcall;
  module_object *owner;
  const mm_function *info;
  int32_t number;
  PyObject *names; /* of the arguments: interned */
  bool holds;      /* arguments or results are more than numbers and booleans */
  atomic_bool lasts; /* the last call was a long one: the next gives up the GIL at once */
} function_object;

/* A function of a module; a new reference. */
PyObject *mmpy_function_make(module_object *owner, int32_t number);
