/* function.c - the Function type: a typed function of a module, called with Python's values.
 *
 * DESIGN. A call of a few numbers is shorter than releasing and taking the GIL, so it keeps the GIL. If it takes long
 * nevertheless, the first beat of its pulse releases the GIL, and later calls of that function release it at once, as
 * do calls with large arrays. The lock of the module comes before the GIL: a thread that holds the GIL only tries the
 * lock, and a thread that waits for the lock has released the GIL.
 *
 * SPDX-License-Identifier: MIT */
#include "script/function.h"
#include "deferred_release.h"
#include "errors.h"
#include "script/call_args.h"
#include <stddef.h>
#include <structmember.h>

enum { LITTLE = 16384 }; /* bytes of arrays that may be worked on under the GIL */

typedef struct long_call {
  mm_pulse pulse;
  PyThreadState *thread; /* NULL while the GIL is held */
  bool lasted;
} long_call;

static int release_gil(void *context) {
  long_call *a = context;
  if (a->thread) PyEval_RestoreThread(a->thread);
  a->lasted = true;
  int raised = PyErr_CheckSignals();
  a->thread = PyEval_SaveThread();
  return raised;
}

/* ---- Arguments by place and by name ---- */

static PyObject *fail_name(const function_object *self, PyObject *name, const char *what) {
  return PyErr_Format(PyExc_TypeError, "%s() %s '%U'", self->info->name, what, name);
}

static int32_t find_argument(const function_object *self, PyObject *name) {
  int32_t count = self->info->argument_count;
  for (int32_t i = 0; i < count; i++)
    if (PyTuple_GET_ITEM(self->names, i) == name) return i;
  for (int32_t i = 0; i < count; i++)
    if (PyUnicode_Compare(PyTuple_GET_ITEM(self->names, i), name) == 0) return i;
  return -1;
}

static int gather_arguments(const function_object *self, PyObject *const *given, Py_ssize_t count, PyObject *names,
                            PyObject **values) {
  const mm_function *info = self->info;
  if (count > info->argument_count) {
    PyErr_Format(PyExc_TypeError, "%s() takes %d argument%s but %zd were given", info->name, (int)info->argument_count,
                 info->argument_count == 1 ? "" : "s", count);
    return -1;
  }
  for (int32_t i = 0; i < info->argument_count; i++) values[i] = i < count ? given[i] : NULL;
  for (Py_ssize_t k = 0; names && k < PyTuple_GET_SIZE(names); k++) {
    PyObject *name = PyTuple_GET_ITEM(names, k);
    int32_t i = find_argument(self, name);
    if (i < 0) fail_name(self, name, "got an unexpected keyword argument");
    else if (values[i]) fail_name(self, name, "got multiple values for argument");
    if (i < 0 || values[i]) return -1;
    values[i] = given[count + k];
  }
  for (int32_t i = 0; i < info->argument_count; i++) {
    if (values[i]) continue;
    values[i] = Py_None;
    if (info->arguments[i].nullable) continue;
    fail_name(self, PyTuple_GET_ITEM(self->names, i), "missing required argument");
    return -1;
  }
  return 0;
}

/* ---- Calls ---- */

static PyObject *raise_failure(module_state *state, const mm_error *error) {
  return PyErr_Occurred() ? NULL : raise_error(state, error); /* what a signal's handler raised comes first */
}

static PyObject *call_function(function_object *self, call_args *p) {
  mm_module *module = self->owner->module;
  mm_error error;
  long_call a = {.lasted = false};
  a.pulse = (mm_pulse){release_gil, &a};
  int status = mm_module_enter(module, false, NULL, &error);
  if (status == 0) {
    a.thread = PyEval_SaveThread();
    status = mm_module_enter(module, true, &a.pulse, &error);
  } else if (status > 0 && (atomic_load_explicit(&self->lasts, memory_order_relaxed) || p->bytes > LITTLE)) {
    a.thread = PyEval_SaveThread();
  }
  if (status < 0) {
    if (a.thread) PyEval_RestoreThread(a.thread);
    return raise_failure(p->state, &error);
  }
  a.lasted = false; /* waiting is not lasting */
  status = mm_module_call(module, self->number, p->arguments, p->results, &a.pulse, &error);
  if (a.thread) PyEval_RestoreThread(a.thread);
  atomic_store_explicit(&self->lasts, a.lasted, memory_order_relaxed);
  bool told = status >= 0 && (!self->holds || call_args_texts(p) == 0);
  mm_module_leave(module);
  if (status < 0) return raise_failure(p->state, &error);
  return told ? call_args_give(p) : NULL;
}

static PyObject *function_call(PyObject *object, PyObject *const *given, size_t flags, PyObject *names) {
  function_object *self = (function_object *)object;
  call_args passage;
  deferred_release_drain();
  if (call_args_begin(&passage, self->owner->state, self->info) < 0) return NULL;
  PyObject *result = NULL;
  if (gather_arguments(self, given, PyVectorcall_NARGS(flags), names, passage.values) == 0
      && call_args_take(&passage) == 0)
    result = call_function(self, &passage);
  call_args_end(&passage);
  return result;
}

/* ---- The type ---- */

static bool holds_memory(const mm_function *info) {
  bool any = false;
  for (int32_t i = 0; i < info->result_count; i++) {
    int id = info->results[i].type.id;
    any = any || id == MM_UTF8 || id == MM_BINARY;
  }
  return any;
}

PyObject *mmpy_function_make(module_object *owner, int32_t number) {
  PyTypeObject *type = (PyTypeObject *)owner->state->function_type;
  function_object *self = (function_object *)type->tp_alloc(type, 0);
  if (!self) return NULL;
  self->vectorcall = function_call;
  self->owner = owner;
  Py_INCREF(owner);
  self->info = mm_module_function(owner->module, number);
  self->number = number;
  self->holds = holds_memory(self->info);
  self->names = PyTuple_New(self->info->argument_count);
  for (int32_t i = 0; self->names && i < self->info->argument_count; i++) {
    PyObject *name = PyUnicode_InternFromString(self->info->arguments[i].name);
    if (!name) Py_CLEAR(self->names);
    else PyTuple_SET_ITEM(self->names, i, name);
  }
  if (!self->names) Py_CLEAR(self);
  return (PyObject *)self;
}

static void function_dealloc(PyObject *object) {
  function_object *self = (function_object *)object;
  PyTypeObject *type = Py_TYPE(object);
  Py_XDECREF(self->names);
  Py_XDECREF(self->owner);
  type->tp_free(object);
  Py_DECREF(type);
}

static PyObject *get_name(PyObject *object, void *unused) {
  (void)unused;
  return PyUnicode_FromString(((function_object *)object)->info->name);
}

static PyObject *get_signature_text(PyObject *object, void *unused) {
  (void)unused;
  return PyUnicode_FromString(((function_object *)object)->info->signature);
}

/* "brighten(pixels: mut u8[], by: f64) -> u8[]" */
static PyObject *call_text(const mm_function *info) {
  const char *arrow = strstr(info->signature, "->");
  int arguments = (int)(arrow ? arrow - info->signature : (ptrdiff_t)strlen(info->signature));
  while (arguments > 0 && info->signature[arguments - 1] == ' ') arguments--;
  PyObject *taken = PyUnicode_FromStringAndSize(info->signature, arguments);
  if (!taken) return NULL;
  PyObject *text = PyUnicode_FromFormat("%s(%U)%s%s", info->name, taken, arrow ? " " : "", arrow ? arrow : "");
  Py_DECREF(taken);
  return text;
}

static PyObject *get_doc(PyObject *object, void *unused) {
  (void)unused;
  const mm_function *info = ((function_object *)object)->info;
  PyObject *text = call_text(info);
  PyObject *doc = text && *info->about ? PyUnicode_FromFormat("%U\n\n%s", text, info->about) : Py_XNewRef(text);
  Py_XDECREF(text);
  return doc;
}

/* "mut u8[]", as an annotation. */
static PyObject *annotation_of(const mm_slot *slot) {
  char type[40];
  return PyUnicode_FromFormat("%s%s%s%s%s", slot->mut ? "mut " : "", slot->exact ? "exact " : "",
                              mm_type_name(slot->type, type, sizeof type), slot->array ? "[]" : "",
                              slot->nullable ? "?" : "");
}

static PyObject *parameter_of(PyObject *inspect, const mm_slot *slot) {
  PyObject *class = PyObject_GetAttrString(inspect, "Parameter");
  PyObject *kind = class ? PyObject_GetAttrString(class, "POSITIONAL_OR_KEYWORD") : NULL;
  PyObject *arguments = kind ? Py_BuildValue("(sO)", slot->name, kind) : NULL;
  PyObject *more = arguments ? Py_BuildValue("{sN}", "annotation", annotation_of(slot)) : NULL;
  PyObject *parameter = NULL;
  if (more && (!slot->nullable || PyDict_SetItemString(more, "default", Py_None) == 0))
    parameter = PyObject_Call(class, arguments, more);
  Py_XDECREF(more);
  Py_XDECREF(arguments);
  Py_XDECREF(kind);
  Py_XDECREF(class);
  return parameter;
}

/* inspect.Signature, whose annotations are the types as they were declared. */
static PyObject *get_signature(PyObject *object, void *unused) {
  (void)unused;
  const mm_function *info = ((function_object *)object)->info;
  const char *arrow = strstr(info->signature, "-> ");
  PyObject *inspect = PyImport_ImportModule("inspect");
  PyObject *parameters = inspect ? PyList_New(0) : NULL;
  for (int32_t i = 0; parameters && i < info->argument_count; i++) {
    PyObject *parameter = parameter_of(inspect, &info->arguments[i]);
    if (!parameter || PyList_Append(parameters, parameter) < 0) Py_CLEAR(parameters);
    Py_XDECREF(parameter);
  }
  PyObject *class = parameters ? PyObject_GetAttrString(inspect, "Signature") : NULL;
  PyObject *arguments = class ? Py_BuildValue("(O)", parameters) : NULL;
  PyObject *more = arguments ? Py_BuildValue("{sz}", "return_annotation", arrow ? arrow + 3 : NULL) : NULL;
  PyObject *signature = more ? PyObject_Call(class, arguments, more) : NULL;
  Py_XDECREF(more);
  Py_XDECREF(arguments);
  Py_XDECREF(class);
  Py_XDECREF(parameters);
  Py_XDECREF(inspect);
  return signature;
}

static PyObject *function_repr(PyObject *object) {
  PyObject *text = call_text(((function_object *)object)->info);
  PyObject *shown = text ? PyUnicode_FromFormat("<moonmill function %U>", text) : NULL;
  Py_XDECREF(text);
  return shown;
}

/* module["name"] in the other process; the package tells what becomes of the module. */
static PyObject *function_reduce(PyObject *object, PyObject *unused) {
  (void)unused;
  const function_object *self = (function_object *)object;
  PyObject *operators = PyImport_ImportModule("operator");
  PyObject *getitem = operators ? PyObject_GetAttrString(operators, "getitem") : NULL;
  PyObject *parts = getitem ? Py_BuildValue("O(Os)", getitem, self->owner, self->info->name) : NULL;
  Py_XDECREF(getitem);
  Py_XDECREF(operators);
  return parts;
}

static PyGetSetDef attributes[] = {
    {"__name__", get_name, NULL, "Its name in the script.", NULL},
    {"__qualname__", get_name, NULL, NULL, NULL},
    {"__doc__", get_doc, NULL, NULL, NULL},
    {"__signature__", get_signature, NULL, "For inspect.signature.", NULL},
    {"signature", get_signature_text, NULL, "What it takes and gives, as the script declares it.", NULL},
    {0}};

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(function_object, vectorcall), READONLY, NULL}, {0}};

static PyMethodDef methods[] = {{"__reduce__", function_reduce, METH_NOARGS, NULL}, {0}};

static PyType_Slot slots[] = {{Py_tp_dealloc, (void *)(uintptr_t)function_dealloc},
                              {Py_tp_call, (void *)(uintptr_t)PyVectorcall_Call},
                              {Py_tp_repr, (void *)(uintptr_t)function_repr},
                              {Py_tp_getset, attributes},
                              {Py_tp_members, members},
                              {Py_tp_methods, methods},
                              {0}};

static PyType_Spec spec = {.name = "moonmill._core.Function",
                           .basicsize = sizeof(function_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION
                                    | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

int mmpy_function_register(PyObject *module, module_state *state) {
  return mmpy_type_register(module, &spec, &state->function_type);
}
