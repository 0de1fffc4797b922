/* function.h - modules of typed functions and their functions, for the files that make and call them.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"
#include "functions.h"

typedef struct functions_object {
  PyObject_HEAD module_state *state;
  mm_module *module;
  PyObject *name, *texts; /* what it was made of: str, tuple of str */
} functions_object;

typedef struct function_object {
  PyObject_HEAD vectorcallfunc vectorcall;
  functions_object *owner;
  const mm_function *info;
  int32_t number;
  PyObject *names; /* of the arguments: interned */
  bool holds;      /* arguments or results are more than numbers and booleans */
  atomic_bool lasts; /* the last call was a long one: the next gives up the GIL at once */
} function_object;

/* A function of a module; a new reference. */
PyObject *mm_function_make(functions_object *owner, int32_t number);

/* Values on their way through a call. Few of them need no memory of their own. */
enum { MM_FEW = 6 };
typedef struct mm_passage {
  module_state *state;
  const mm_function *info;
  PyObject **values;  /* arguments in order, borrowed */
  mm_item *arguments, *results;
  mm_borrow *borrows; /* of arguments: what lasts until the call is over */
  int32_t taken;      /* arguments that were */
  int64_t bytes;      /* of arrays */
  bool numpy;         /* there is an array of numpy among them */
  PyObject *few_values[MM_FEW];
  mm_item few_arguments[MM_FEW], few_results[MM_FEW];
  mm_borrow few_borrows[MM_FEW];
} mm_passage;

int  mm_passage_begin(mm_passage *passage, const function_object *function); /* -1 and an exception */
/* Arguments, of `values`, to items. Python code may run. -1 and an exception. */
int  mm_passage_take(mm_passage *passage);
/* Texts among the results to objects, in the place of the values; the module is still entered. No Python code runs. */
int  mm_passage_texts(mm_passage *passage);
/* What the function returned: None, an object, or a tuple. */
PyObject *mm_passage_give(mm_passage *passage);
void mm_passage_end(mm_passage *passage);
