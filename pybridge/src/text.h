/* text.h - texts of Python as UTF-8, which not all of them have.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"
#include "session.h"

/* The UTF-8 of a str, which keeps it. NULL: it has none, and `problem` says why ("has half a surrogate pair ..."), or
 * there is an exception and no problem. */
const char *mmpy_utf8_find(PyObject *text, Py_ssize_t *size, const char **problem);
/* The same, or NULL and an exception; `what` it is: "the name of a column". */
const char *mmpy_utf8_of(module_state *state, PyObject *text, Py_ssize_t *size, const char *what);
/* The bytes of a str, which live as long as it; -1 and an exception. */
int mmpy_text_read(module_state *state, PyObject *text, const char *what, mm_text *to);
