/* dlpack.h - contiguous values as DLPack tensors.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* What __dlpack__ was asked for, beside its stream. */
typedef struct dlpack_request {
  bool versioned, copy, no_copy;
} dlpack_request;

/* Contiguous values within the block. */
typedef struct dlpack_values {
  mm_block *block;
  const void *data;
  mm_type type;
  bool readonly;
  int64_t length, width; /* values, bytes of one */
} dlpack_values;

int dlpack_parse(PyObject *arguments, PyObject *keywords, dlpack_request *request);
PyObject *dlpack_capsule(const dlpack_values *values, const dlpack_request *request);
PyObject *dlpack_device(PyObject *self, PyObject *unused);
