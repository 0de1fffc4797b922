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
int mm_memory_open(module_state *state, const char *name, PyObject *object, bool writable, typed_memory *to);
void mm_memory_close(typed_memory *memory);
/* Can it be shown as values of its type, one after the other? */
bool mm_memory_plain(const typed_memory *memory);
/* What an object holds, for failures: "numpy array of float16". */
const char *mm_memory_describe(PyObject *object, char *text, size_t size);
/* How its values are got at, or NULL: a series, a column. */
const char *mm_memory_hint(PyObject *object);
/* Move a view; `from` is emptied. */
void mm_view_move(Py_buffer *to, Py_buffer *from);

/* Typed memory of a Python object: numpy arrays (datetime64 and timedelta64 too), array.array, memoryview, bytes,
 * ctypes, our buffers. Held until mm_borrow_return or mm_borrow_block. */
typedef struct mm_borrow {
  Py_buffer view;   /* view.buf: the values, C-contiguous and aligned; bools are bytes */
  mm_type   type;
  int64_t   length; /* values, of all dimensions */
} mm_borrow;

/* Borrow without copying, or refuse: `name` stands for the object in failures. Returns -1 and raises. */
int mm_borrow_take(module_state *state, PyObject *object, const char *name, bool writable, mm_borrow *to);
void mm_borrow_return(mm_borrow *borrow); /* safe on one of zero bytes */
/* A block over the values that holds the object; the borrow is emptied, also on failure. */
mm_block *mm_borrow_block(module_state *state, mm_borrow *take);
