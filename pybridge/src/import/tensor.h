/* tensor.h - tensors of DLPack on their way in.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* A tensor of DLPack as an object with the buffer protocol; NULL where there is none, or with an exception. */
PyObject *tensor_take(module_state *state, const char *name, PyObject *source);
