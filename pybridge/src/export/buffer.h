/* buffer.h - the Buffer object, for the files that make it.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "export/dlpack.h"

/* An object of the package's class of buffers over `length` values at `data`, within the block. Takes the block,
 * also on failure. Values of a bool are bytes here. */
PyObject *mmpy_buffer_wrap(module_state *state, mm_block *take, const void *data, mm_type type, int64_t length,
                         bool writable);
/* A buffer's values as a DLPack capsule; NULL and an exception. */
PyObject *mmpy_buffer_dlpack(PyObject *buffer, const dlpack_request *request);
/* Bytes of a value in a buffer: bools are bytes. 0: values of this type do not fit in a buffer. */
int64_t mmpy_buffer_width(mm_type type);
