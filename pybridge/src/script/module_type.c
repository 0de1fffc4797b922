/* module_type.c - the Module type: a script's typed functions, by name, in a Lua state of their own.
 * SPDX-License-Identifier: MIT */
#include "detached_call.h"
#include "errors.h"
#include "script/function.h"
#include "text.h"

/* Texts of a sequence; they live as long as it. */
static mm_text *texts_of(module_state *state, PyObject *list) {
  Py_ssize_t count = PyTuple_GET_SIZE(list);
  mm_text *texts = PyMem_Calloc((size_t)count + 1, sizeof *texts);
  if (!texts) PyErr_NoMemory();
  for (Py_ssize_t i = 0; texts && i < count; i++) {
    if (mmpy_text_read(state, PyTuple_GET_ITEM(list, i), "the text of a script", &texts[i]) == 0) continue;
    PyMem_Free(texts);
    return NULL;
  }
  return texts;
}

static int run_script(module_object *self) {
  Py_ssize_t size;
  const char *name = mmpy_utf8_of(self->state, self->name, &size, "the name of a script");
  mm_text *texts = name ? texts_of(self->state, self->texts) : NULL;
  if (!texts) return -1;
  mm_error error;
  detached_call call;
  detached_call_begin(&call, self->state);
  int status = mm_module_open(name, texts, (int32_t)PyTuple_GET_SIZE(self->texts), &call.pulse, &self->module, &error);
  detached_call_end(&call);
  PyMem_Free(texts);
  if (status < 0 && !PyErr_Occurred()) raise_error(self->state, &error);
  return status;
}

static PyObject *functions_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
  static char *names[] = {"name", "texts", NULL};
  PyObject *name, *texts = NULL;
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "U|O:Module", names, &name, &texts)) return NULL;
  module_state *state = module_state_of((PyObject *)type);
  module_object *self = state ? (module_object *)type->tp_alloc(type, 0) : NULL;
  if (!self) return NULL;
  self->state = state;
  self->name = Py_NewRef(name);
  self->texts = texts ? PySequence_Tuple(texts) : PyTuple_New(0);
  live_count(LIVE_modules, 1);
  if (!self->texts || run_script(self) < 0) Py_CLEAR(self);
  return (PyObject *)self;
}

static void functions_dealloc(PyObject *object) {
  module_object *self = (module_object *)object;
  PyTypeObject *type = Py_TYPE(object);
  mm_module_free(self->module);
  Py_XDECREF(self->name);
  Py_XDECREF(self->texts);
  live_count(LIVE_modules, -1);
  type->tp_free(object);
  Py_DECREF(type);
}

static Py_ssize_t functions_length(PyObject *object) { return mm_module_count(((module_object *)object)->module); }

static PyObject *functions_item(PyObject *object, PyObject *name) {
  module_object *self = (module_object *)object;
  for (int32_t i = 0; i < mm_module_count(self->module) && PyUnicode_Check(name); i++) {
    if (PyUnicode_CompareWithASCIIString(name, mm_module_function(self->module, i)->name) == 0)
      return mmpy_function_make(self, i);
  }
  PyErr_SetObject(PyExc_KeyError, name);
  return NULL;
}

static PyObject *get_functions(PyObject *object, void *unused) {
  (void)unused;
  module_object *self = (module_object *)object;
  PyObject *all = PyDict_New();
  for (int32_t i = 0; all && i < mm_module_count(self->module); i++) {
    PyObject *function = mmpy_function_make(self, i);
    if (!function || PyDict_SetItemString(all, mm_module_function(self->module, i)->name, function) < 0) Py_CLEAR(all);
    Py_XDECREF(function);
  }
  return all;
}

static PyObject *get_about(PyObject *object, void *unused) {
  (void)unused;
  return PyUnicode_FromString(mm_module_about(((module_object *)object)->module));
}

static PyObject *get_name(PyObject *object, void *unused) {
  (void)unused;
  return Py_NewRef(((module_object *)object)->name);
}

static PyObject *get_texts(PyObject *object, void *unused) {
  (void)unused;
  return Py_NewRef(((module_object *)object)->texts);
}

static PyGetSetDef attributes[] = {
    {"name", get_name, NULL, "The script's file, or what it is called.", NULL},
    {"texts", get_texts, NULL, "Its text, and names and texts of its modules; nothing where it is a file.", NULL},
    {"about", get_about, NULL, "What the script says about itself.", NULL},
    {"functions", get_functions, NULL, "Its functions by name, in the order of the script.", NULL},
    {0}};

static PyType_Slot slots[] = {{Py_tp_doc, "Module(name, texts=())\n--\n\nTyped functions of a script: the file `name`, "
                                          "or texts[0] with names and texts of its "
                                          "modules in turns behind it."},
                              {Py_tp_new, (void *)(uintptr_t)functions_new},
                              {Py_tp_dealloc, (void *)(uintptr_t)functions_dealloc},
                              {Py_mp_length, (void *)(uintptr_t)functions_length},
                              {Py_mp_subscript, (void *)(uintptr_t)functions_item},
                              {Py_tp_getset, attributes},
                              {0}};

static PyType_Spec spec = {.name = "moonmill._core.Module",
                           .basicsize = sizeof(module_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

int mmpy_module_type_register(PyObject *module, module_state *state) {
  return mmpy_type_register(module, &spec, &state->module_type);
}
