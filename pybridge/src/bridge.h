/* bridge.h - what the files of the extension share.
 *
 * DESIGN. The module has one state, which every object points to: the types keep the module alive, and objects keep
 * their type. A function that can fail follows Python: NULL or -1, and an exception is set; failures of the core become
 * exceptions in mm_raise alone. The GIL is given up around whatever may take long, and no lock of the core is held when
 * Python code can run.
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
#define MM_STATE(X) \
  X(table_type) X(column_type) X(buffer_type) X(session_type) X(plan_type) X(job_type) X(input_type) X(tensor_type) \
  X(module_type) X(function_type) X(table_class) X(column_class) X(buffer_class) X(job_class) X(error)

typedef struct module_state {
#define X(name) PyObject *name;
  MM_STATE(X)
#undef X
} module_state;

/* The files that add something to the module: each has int mm_<name>_register(PyObject *module, module_state *state),
 * which makes its types (mm_type_register) and adds its functions (PyModule_AddFunctions). */
#define MM_PARTS(X) \
  X(buffer) X(tensor) X(column) X(table) X(store) X(session) X(plan) X(job) X(run) X(input) X(functions) X(function)

#define X(name) int mm_##name##_register(PyObject *module, module_state *state);
MM_PARTS(X)
#undef X

/* Make a type of the module, add it under its name, and keep a reference in *slot. */
int mm_type_register(PyObject *module, PyType_Spec *spec, PyObject **slot);
/* The state, for a class method that was called on `type` or one derived from it; NULL and an exception. */
module_state *mm_state_of(PyObject *type);

/* 1 and an attribute, 0 where there is none, or -1 and an exception; without raising and clearing, which takes a
 * microsecond. */
int mm_attribute_find(PyObject *object, const char *name, PyObject **attribute);

/* Every so many turns of a long loop under the GIL: -1 and the exception that a signal raised. */
static inline int mm_signals_check(int64_t turn) { return (turn & 0xffff) == 0xffff ? PyErr_CheckSignals() : 0; }

/* A method with fast arguments, or with keywords, as PyMethodDef wants it. */
#define MM_METHOD(function) ((PyCFunction)(void (*)(void))(function))

/* ---- What is alive: counted for tests, and shown by live() ---- */

#define MM_LIVE(X) X(tables) X(columns) X(buffers) X(sessions) X(plans) X(jobs) X(inputs) X(modules) X(owners)
enum {
#define X(name) MM_LIVE_##name,
  MM_LIVE(X)
#undef X
  MM_LIVE_COUNT
};
void mm_live_add(int kind, int change); /* any thread */

static inline bool mm_type_same(mm_type a, mm_type b) { return a.id == b.id && a.unit == b.unit && a.zone == b.zone; }

/* ---- Failures ---- */

/* Raise what `error` says, as the exception that the package makes of it. Always NULL. */
PyObject *mm_raise(module_state *state, const mm_error *error);
/* The same of a JSON array of failures, as a session writes them. */
PyObject *mm_raise_json(module_state *state, const char *json, Py_ssize_t size);
/* The same of a failure at a column, which the message then names. */
PyObject *mm_raise_column(module_state *state, mm_error *error, const char *name);
/* Raise a failure that the extension itself found; code MM_EUSAGE, MM_EDATA ... `field` names the column, or is NULL;
 * so may `hint`. */
PyObject *mm_raise_new(module_state *state, int code, const char *id, const char *field, const char *hint,
                       const char *format, ...) __attribute__((format(printf, 6, 7)));

/* The UTF-8 of a str, which keeps it. NULL: it has none, and `problem` says why ("has half a surrogate pair ..."), or
 * there is an exception and no problem. */
const char *mm_utf8_find(PyObject *text, Py_ssize_t *size, const char **problem);
/* The same, or NULL and an exception; `what` it is: "the name of a column". */
const char *mm_utf8_of(module_state *state, PyObject *text, Py_ssize_t *size, const char *what);

/* ---- Owners: what Python or a foreign producer must release, and only under the GIL ---- */

/* First member of a struct that owns something foreign. `release` runs under the GIL and frees the struct too. */
typedef struct mm_owner {
  struct mm_owner *next;
  void (*release)(struct mm_owner *owner);
} mm_owner;

/* Release an owner at the next chance: for mm_block_foreign. Any thread, with the GIL or without, under any lock. */
void mm_owner_defer(void *owner);
/* Release what waits. Under the GIL, and with no lock of ours. Every entry into the extension calls it. */
void mm_owner_drain(void);
/* What this thread lets go of from here on goes into a list, to be released with it. No Python code may run between. */
void mm_owner_collect(mm_owner **list);
void mm_owner_release(mm_owner *list);

/* ---- Tables, columns, buffers ---- */

/* A list of what the columns of a schema are: str, str, bool. NULL and an exception. */
enum { MM_FIELD_NAMES, MM_FIELD_TYPES, MM_FIELD_NULLABLES };
PyObject *mm_fields_list(const mm_schema *schema, int what);

/* An object of the package's class of tables. Takes the table, also on failure. `copied`, `shared`: bytes on their way
 * in. */
PyObject *mm_table_wrap(module_state *state, mm_table *take, int64_t copied, int64_t shared);
/* The same in two steps: an empty one, and what fills it, which runs no Python code and on failure takes nothing. */
PyObject *mm_table_new(module_state *state);
int mm_table_fill(PyObject *table, mm_table *take, int64_t copied, int64_t shared);
/* The table of such an object, borrowed; NULL and TypeError when it is none. */
const mm_table *mm_table_of(module_state *state, PyObject *object);
/* Items of a dict that stats() shows beside its own. */
int mm_table_note(PyObject *table, PyObject *items);

/* An object of the package's class of buffers over `length` values at `data`, which lie in the block. Takes the block,
 * also on failure. Values of a bool are bytes here. */
PyObject *mm_buffer_wrap(module_state *state, mm_block *take, const void *data, mm_type type, int64_t length,
                         bool writable);

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
