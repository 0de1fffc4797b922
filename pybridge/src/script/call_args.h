/* call_args.h - arguments of typed functions from Python, and results to Python.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "import/buffer_protocol.h"
#include "functions.h"

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

int  mm_passage_begin(mm_passage *passage, module_state *state, const mm_function *info); /* -1 and an exception */
/* Arguments, of `values`, to items. Python code may run. -1 and an exception. */
int  mm_passage_take(mm_passage *passage);
/* Texts among the results to objects, in the place of the values; the module is still entered. No Python code runs. */
int  mm_passage_texts(mm_passage *passage);
/* What the function returned: None, an object, or a tuple. */
PyObject *mm_passage_give(mm_passage *passage);
void mm_passage_end(mm_passage *passage);
