/* buffer_protocol.h - typed memory of Python objects, before it is known whether it can be shown as it is.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

typedef struct typed_memory {
  Py_buffer view; /* with strides */
  mm_type type;
  int64_t length; /* values, of all dimensions */
  int64_t factor; /* units that a value counts; 1 but for odd units of datetime64, and 7 for weeks of a date */
  bool swapped;   /* bytes of a value are in the other order */
} typed_memory;

/* Hold an object's memory: 1, or 0 when it has none that holds values of a type of ours, or -1 and an exception, which
 * may name the column. */
int typed_memory_open(module_state *state, const char *name, PyObject *object, bool writable, typed_memory *to);
void typed_memory_close(typed_memory *memory);
/* Can it be shown as values of its type, one after the other? */
bool typed_memory_plain(const typed_memory *memory);
/* What an object holds, for failures: "numpy array of float16". */
const char *typed_memory_describe(PyObject *object, char *text, size_t size);
/* How its values are got at, or NULL: a series, a column. */
const char *typed_memory_hint(PyObject *object);
/* Move a view; `from` is emptied. */
void view_move(Py_buffer *to, Py_buffer *from);

/* Typed memory of a Python object: numpy arrays (datetime64 and timedelta64 too), array.array, memoryview, bytes,
 * ctypes, our buffers. Held until borrowed_buffer_return or borrowed_buffer_block. */
typedef struct borrowed_buffer {
  Py_buffer view;   /* view.buf: the values, C-contiguous and aligned; bools are bytes */
  mm_type   type;
  int64_t   length; /* values, of all dimensions */
} borrowed_buffer;

/* Borrow without copying, or refuse: `name` stands for the object in failures. Returns -1 and raises. */
int borrowed_buffer_take(module_state *state, PyObject *object, const char *name, bool writable, borrowed_buffer *to);
void borrowed_buffer_return(borrowed_buffer *borrow); /* safe on one of zero bytes */
/* A block over the values that holds the object; the borrow is emptied, also on failure. */
mm_block *borrowed_buffer_block(module_state *state, borrowed_buffer *take);
