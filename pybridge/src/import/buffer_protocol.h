/* buffer_protocol.h - typed memory of Python objects, before it is known whether it can be shown as it is.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

typedef struct memory {
  Py_buffer view; /* with strides */
  mm_type type;
  int64_t length; /* values, of all dimensions */
  int64_t factor; /* units that a value counts; 1 but for odd units of datetime64, and 7 for weeks of a date */
  bool swapped;   /* bytes of a value are in the other order */
} memory;

/* Hold an object's memory: 1, or 0 when it has none that holds values of a type of ours, or -1 and an exception, which
 * may name the column. */
int mm_memory_open(module_state *state, const char *name, PyObject *object, bool writable, memory *to);
void mm_memory_close(memory *memory);
/* Can it be shown as values of its type, one after the other? */
bool mm_memory_plain(const memory *memory);
/* A tensor of DLPack as an object with the buffer protocol; NULL where there is none, or with an exception. */
PyObject *mm_tensor_take(module_state *state, const char *name, PyObject *source);
/* What an object holds, for failures: "numpy array of float16". */
const char *mm_memory_describe(PyObject *object, char *text, size_t size);
/* How its values are got at, or NULL: a series, a column. */
const char *mm_memory_hint(PyObject *object);
/* Move a view; `from` is emptied. */
void mm_view_move(Py_buffer *to, Py_buffer *from);
