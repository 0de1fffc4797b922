/* call_args.h - arguments of typed functions from Python, and results to Python.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "import/buffer_protocol.h"
#include "function_module.h"

/* Values on their way through a call. Few of them need no memory of their own. */
enum { CALL_ARGS_FEW = 6 };
typedef struct call_args {
  module_state *state;
  const mm_function *info;
  PyObject **values;  /* arguments in order, borrowed */
  mm_item *arguments, *results;
  borrowed_buffer *borrows; /* of arguments: what lasts until the call is over */
  int32_t taken;      /* arguments that were */
  int64_t bytes;      /* of arrays */
  bool numpy;         /* there is an array of numpy among them */
  PyObject *few_values[CALL_ARGS_FEW];
  mm_item few_arguments[CALL_ARGS_FEW], few_results[CALL_ARGS_FEW];
  borrowed_buffer few_borrows[CALL_ARGS_FEW];
} call_args;

int  call_args_begin(call_args *passage, module_state *state, const mm_function *info); /* -1 and an exception */
/* Arguments, of `values`, to items. Python code may run. -1 and an exception. */
int  call_args_take(call_args *passage);
/* Texts among the results to objects, in the place of the values; the module is still entered. No Python code runs. */
int  call_args_texts(call_args *passage);
/* What the function returned: None, an object, or a tuple. */
PyObject *call_args_give(call_args *passage);
void call_args_end(call_args *passage);
