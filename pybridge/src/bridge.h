/* bridge.h - what the files of the extension share.
 *
 * DESIGN. The module has one state, which every object points to: the types keep the module alive, and objects keep
 * their type. A function that can fail follows Python: NULL or -1, and an exception is set; failures of the core become
 * exceptions in errors.c alone. The GIL is released around whatever may take long, and no lock of the core is held
 * when Python code can run.
 *
 * Nothing relies on the GIL to keep threads apart, since there are builds without it: objects do not change once they
 * are made, and the few members that do are atomic or changed within a critical section, in which no Python code runs.
 * What belongs to the caller is looked at through references of our own.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "moonmill.h"

/* A lock of an object, where there is no GIL; versions before 3.13 always have one. */
#ifndef Py_BEGIN_CRITICAL_SECTION
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
#endif

/* ---- The module ---- */

/* Objects of the module's state: our types, what the package derives from them, and what makes an exception of a
 * failure. configure() sets the latter, while the package is imported: before any other thread has the module. */
#define MMPY_STATE(X) \
  X(table_type) X(column_type) X(buffer_type) X(session_type) X(plan_type) X(job_type) X(input_type) X(tensor_type) \
  X(module_type) X(function_type) X(table_class) X(column_class) X(buffer_class) X(job_class) X(error)

typedef struct module_state {
#define X(name) PyObject *name;
  MMPY_STATE(X)
#undef X
} module_state;

/* The files that add something to the module: each has int mmpy_<name>_register(PyObject *module, module_state *state),
 * which makes its types (mmpy_type_register) and adds its functions (PyModule_AddFunctions). */
#define MMPY_PARTS(X) \
  X(buffer) X(tensor) X(column) X(table) X(from_columns) X(store) X(deadline) X(session) X(plan) X(job) X(run) \
  X(input) X(module_type) X(function)

#define X(name) int mmpy_##name##_register(PyObject *module, module_state *state);
MMPY_PARTS(X)
#undef X

/* Make a type of the module, add it under its name, and keep a reference in *slot. */
int mmpy_type_register(PyObject *module, PyType_Spec *spec, PyObject **slot);
/* The state, for a class method that was called on `type` or one derived from it; NULL and an exception. */
module_state *module_state_of(PyObject *type);

/* 1 and an attribute, 0 where there is none, or -1 and an exception; without raising and clearing, which takes a
 * microsecond. */
int attribute_find(PyObject *object, const char *name, PyObject **attribute);

/* Every so many turns of a long loop under the GIL: -1 and the exception that a signal raised. */
static inline int signals_check(int64_t turn) { return (turn & 0xffff) == 0xffff ? PyErr_CheckSignals() : 0; }

/* A method with fast arguments, or with keywords, as PyMethodDef wants it. */
#define MMPY_METHOD(function) ((PyCFunction)(void (*)(void))(function))

/* ---- What is alive: counted for tests, and shown by live() ---- */

#define MMPY_LIVE(X) X(tables) X(columns) X(buffers) X(sessions) X(plans) X(jobs) X(inputs) X(modules) X(owners)
enum {
#define X(name) LIVE_##name,
  MMPY_LIVE(X)
#undef X
  LIVE_COUNT
};
void live_count(int kind, int change); /* any thread */

static inline bool type_same(mm_type a, mm_type b) { return a.id == b.id && a.unit == b.unit && a.zone == b.zone; }
