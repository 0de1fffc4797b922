/* errors.h - failures of the core, and of the extension, as Python exceptions.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"

/* Raise what `error` says, as the exception that the package makes of it. Always NULL. */
PyObject *raise_error(module_state *state, const mm_error *error);
/* The same of a JSON array of failures, as a session writes them. */
PyObject *raise_json(module_state *state, const char *json, Py_ssize_t size);
/* The same of a failure at a column, which the message then names. */
PyObject *raise_column(module_state *state, mm_error *error, const char *name);
/* Raise a failure that the extension itself found; code MM_EUSAGE, MM_EDATA ... `field` names the column, or is NULL;
 * so may `hint`. */
PyObject *raise_new(module_state *state, int code, const char *id, const char *field, const char *hint,
                       const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Raise what a call of a session told; the buffer is emptied. Always NULL. An exception of a signal's handler comes
 * first. */
PyObject *raise_failures(module_state *state, mm_buffer *failures, const mm_error *error);
