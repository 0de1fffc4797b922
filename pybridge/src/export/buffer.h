/* buffer.h - the Buffer object, for the files that make and export it.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

typedef struct buffer_object {
  PyObject_HEAD
  mm_block *block;
  const void *data; /* within the block, or foreign memory that the block keeps */
  mm_type type;
  bool readonly;
  Py_ssize_t length, width; /* values, bytes of one: shape and strides of views */
} buffer_object;

/* Bytes of a value in a buffer: bools are bytes. 0: values of this type do not fit in a buffer. */
int64_t mm_buffer_width(mm_type type);

/* What __dlpack__ was asked for, beside its stream. */
typedef struct dlpack_request {
  bool versioned, copy, no_copy;
} dlpack_request;

int mm_dlpack_parse(PyObject *arguments, PyObject *keywords, dlpack_request *request);
PyObject *mm_dlpack_capsule(const buffer_object *buffer, const dlpack_request *request);
PyObject *mm_dlpack_device(PyObject *self, PyObject *unused);
