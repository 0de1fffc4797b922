/* module.c - moonmill._core: its state, its parts, and what concerns the whole process.
 * SPDX-License-Identifier: MIT */
#include "deferred_release.h"
#include "session.h"

/* ---- What is alive ---- */

static atomic_int_least64_t live[LIVE_COUNT];

void live_count(int kind, int change) { atomic_fetch_add_explicit(&live[kind], change, memory_order_relaxed); }

static PyObject *core_live(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  static const char *const names[] = {
#define X(name) #name,
      MMPY_LIVE(X)
#undef X
  };
  deferred_release_drain();
  PyObject *counts = PyDict_New();
  for (int i = 0; i < LIVE_COUNT && counts; i++) {
    PyObject *count = PyLong_FromLongLong(atomic_load_explicit(&live[i], memory_order_relaxed));
    if (!count || PyDict_SetItemString(counts, names[i], count) < 0) Py_CLEAR(counts);
    Py_XDECREF(count);
  }
  return counts;
}

/* ---- Settings of the package ---- */

/* A subclass of one of our types; while that type does not exist, any type. */
static int set_class(PyObject **slot, const char *name, PyObject *wanted, PyObject *base) {
  if (!wanted || wanted == Py_None) return 0;
  if (!PyType_Check(wanted) || (base && !PyType_IsSubtype((PyTypeObject *)wanted, (PyTypeObject *)base))) {
    PyErr_Format(PyExc_TypeError, "configure: %s must be a subclass of the extension's", name);
    return -1;
  }
  Py_INCREF(wanted);
  Py_XSETREF(*slot, wanted);
  return 0;
}

static PyObject *core_configure(PyObject *module, PyObject *arguments, PyObject *keywords) {
  static char *names[] = {"table", "column", "buffer", "job", "error", NULL};
  module_state *state = PyModule_GetState(module);
  PyObject *table = NULL, *column = NULL, *buffer = NULL, *job = NULL, *error = NULL;
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|$OOOOO:configure", names, &table, &column, &buffer, &job,
                                   &error))
    return NULL;
  if (set_class(&state->table_class, "table", table, state->table_type) < 0
      || set_class(&state->column_class, "column", column, state->column_type) < 0
      || set_class(&state->buffer_class, "buffer", buffer, state->buffer_type) < 0
      || set_class(&state->job_class, "job", job, state->job_type) < 0)
    return NULL;
  if (error == Py_None) error = NULL;
  if (error && !PyCallable_Check(error)) return PyErr_Format(PyExc_TypeError, "configure: error must be callable");
  Py_XINCREF(error);
  if (error) Py_XSETREF(state->error, error);
  Py_RETURN_NONE;
}

/* ---- The core ---- */

static PyObject *core_version(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  int version = mm_version();
  return PyUnicode_FromFormat("%d.%d.%d", version / 10000, version / 100 % 100, version % 100);
}

static PyObject *core_isa(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  return PyUnicode_FromString(mm_isa_name());
}

/* Exit codes by kind. */
static PyObject *core_statuses(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  PyObject *codes = PyDict_New();
  const mm_status *status;
  for (int32_t i = 0; codes && (status = mm_status_at(i)); i++) {
    PyObject *code = PyLong_FromLong(status->exit_code);
    if (!code || PyDict_SetItemString(codes, status->kind, code) < 0) Py_CLEAR(codes);
    Py_XDECREF(code);
  }
  return codes;
}

static PyObject *core_memory_used(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  deferred_release_drain();
  return PyLong_FromLongLong(mm_memory_used());
}

static PyObject *core_memory_reserved(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  deferred_release_drain();
  return PyLong_FromLongLong(mm_memory_reserved());
}

static PyObject *core_types_bytes(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  return PyLong_FromLongLong(mm_types_bytes());
}

static PyObject *core_memory_peak(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  return PyLong_FromLongLong(mm_memory_peak());
}

static PyObject *core_memory_limit(PyObject *module, PyObject *size) {
  (void)module;
  long long bytes = PyLong_AsLongLong(size);
  if (bytes == -1 && PyErr_Occurred()) return NULL;
  if (bytes < 0) return PyErr_Format(PyExc_ValueError, "memory_limit: %lld is less than 0", bytes);
  mm_memory_limit(bytes);
  Py_RETURN_NONE;
}

static PyObject *core_memory_limited(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  return PyLong_FromLongLong(mm_memory_limit_now());
}

static PyObject *core_memory_kept(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  return PyLong_FromLongLong(mm_memory_kept());
}

static PyObject *core_memory_trim(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  deferred_release_drain();
  Py_BEGIN_ALLOW_THREADS
  mm_sessions_collect();
  mm_memory_trim();
  Py_END_ALLOW_THREADS
  Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"configure", MMPY_METHOD(core_configure), METH_VARARGS | METH_KEYWORDS,
     "configure($module, /, *, table=None, column=None, buffer=None, job=None, error=None)\n--\n\n"
     "Set the subclasses to instantiate, and the function that makes an exception from failures: JSON text, or a "
     "dict."},
    {"version", core_version, METH_NOARGS, "version($module, /)\n--\n\nVersion of the core."},
    {"isa", core_isa, METH_NOARGS, "isa($module, /)\n--\n\nInstruction set of the kernels in use."},
    {"statuses", core_statuses, METH_NOARGS,
     "statuses($module, /)\n--\n\nExit codes of the command, by the kind of failure."},
    {"memory_used", core_memory_used, METH_NOARGS, "memory_used($module, /)\n--\n\nBytes that the core holds now."},
    {"memory_reserved", core_memory_reserved, METH_NOARGS,
     "memory_reserved($module, /)\n--\n\nBytes of memory_used() that Lua states hold."},
    {"types_bytes", core_types_bytes, METH_NOARGS,
     "types_bytes($module, /)\n--\n\nBytes of names of time zones and foreign types, which are never freed."},
    {"memory_peak", core_memory_peak, METH_NOARGS,
     "memory_peak($module, /)\n--\n\nThe most bytes that the core has held."},
    {"memory_limit", core_memory_limit, METH_O,
     "memory_limit($module, size, /)\n--\n\nLimit the bytes that the core may hold; 0 removes the limit."},
    {"memory_limited", core_memory_limited, METH_NOARGS,
     "memory_limited($module, /)\n--\n\nThe limit; 0 if there is none."},
    {"memory_kept", core_memory_kept, METH_NOARGS,
     "memory_kept($module, /)\n--\n\nFree bytes that are kept for reuse."},
    {"memory_trim", core_memory_trim, METH_NOARGS,
     "memory_trim($module, /)\n--\n\nCollect garbage in Lua, and return recycled memory to the system."},
    {"live", core_live, METH_NOARGS, "live($module, /)\n--\n\nCounts of live objects, for tests that look for leaks."},
    {0}};

/* ---- The module ---- */

int attribute_find(PyObject *object, const char *name, PyObject **attribute) {
  PyObject *key = PyUnicode_InternFromString(name);
  *attribute = NULL;
  if (!key) return -1;
#if PY_VERSION_HEX >= 0x030d0000
  int found = PyObject_GetOptionalAttr(object, key, attribute);
#else
  int found = _PyObject_LookupAttr(object, key, attribute);
#endif
  Py_DECREF(key);
  return found;
}

int mmpy_type_register(PyObject *module, PyType_Spec *spec, PyObject **slot) {
  PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
  if (!type) return -1;
  Py_XSETREF(*slot, type);
  return PyModule_AddType(module, (PyTypeObject *)type);
}

/* The stack of deferred releases and the core belong to the process. */
static int refuse_subinterpreters(void) {
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) return 0;
  PyErr_SetString(PyExc_ImportError, "moonmill works in the main interpreter alone, not in subinterpreters: "
                                     "use threads, which run pipelines side by side, or processes");
  return -1;
}

static int core_exec(PyObject *module) {
  module_state *state = PyModule_GetState(module);
  if (refuse_subinterpreters() < 0) return -1;
  mm_error error;
  if (mm_isa_check(&error) < 0) {
    PyErr_Format(PyExc_ImportError, "moonmill: %s; %s", error.message, error.hint);
    return -1;
  }
#define X(name)                                                                                                        \
  if (mmpy_##name##_register(module, state) < 0) return -1;
  MMPY_PARTS(X)
#undef X
  return 0;
}

static int core_traverse(PyObject *module, visitproc visit, void *arg) {
  module_state *state = PyModule_GetState(module);
#define X(name) Py_VISIT(state->name);
  MMPY_STATE(X)
#undef X
  return 0;
}

static int core_clear(PyObject *module) {
  module_state *state = PyModule_GetState(module);
#define X(name) Py_CLEAR(state->name);
  MMPY_STATE(X)
#undef X
  return 0;
}

static void core_free(void *module) {
  if (PyModule_GetState(module)) core_clear(module);
}

/* Every interpreter may come as far as core_exec, which says in the same words why it goes no further; Python itself
 * would refuse some of them in words of its own. */
static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)(uintptr_t)core_exec},
#ifdef Py_mod_multiple_interpreters
                                   {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
                                   {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
                                   {0}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                                        .m_name = "moonmill._core",
                                        .m_doc = "The extension: data in and out without copying, plans, jobs.",
                                        .m_size = sizeof(module_state),
                                        .m_methods = functions,
                                        .m_slots = slots,
                                        .m_traverse = core_traverse,
                                        .m_clear = core_clear,
                                        .m_free = core_free};

module_state *module_state_of(PyObject *type) {
#if PY_VERSION_HEX >= 0x030b0000
  PyObject *module = PyType_GetModuleByDef((PyTypeObject *)type, &definition);
#else
  PyObject *module = _PyType_GetModuleByDef((PyTypeObject *)type, &definition);
#endif
  return module ? PyModule_GetState(module) : NULL;
}

PyMODINIT_FUNC PyInit__core(void);
PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&definition); }
