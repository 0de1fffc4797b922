/* dlpack.h - values in one piece as DLPack tensors.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* What __dlpack__ was asked for, beside its stream. */
typedef struct dlpack_request {
  bool versioned, copy, no_copy;
} dlpack_request;

/* Values in one piece, which lie in the block. */
typedef struct dlpack_values {
  mm_block *block;
  const void *data;
  mm_type type;
  bool readonly;
  int64_t length, width; /* values, bytes of one */
} dlpack_values;

int mm_dlpack_parse(PyObject *arguments, PyObject *keywords, dlpack_request *request);
PyObject *mm_dlpack_capsule(const dlpack_values *values, const dlpack_request *request);
PyObject *mm_dlpack_device(PyObject *self, PyObject *unused);
