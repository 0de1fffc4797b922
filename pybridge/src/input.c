/* input.c - the Input type: files as they are opened for a run, with their columns.
 *
 * DESIGN. An Input is opened once and used once, so that pipes work too.
 *
 * SPDX-License-Identifier: MIT */
#include "input.h"

typedef struct input_object {
  PyObject_HEAD module_state *state;
  _Atomic(mm_input *) input; /* NULL once it was used */
  mm_schema columns;
} input_object;

/* ---- Opening ---- */

/* The texts of a sequence of str, which live as long as the list given back; NULL and an exception. */
static PyObject *read_paths(PyObject *paths, const char ***texts) {
  PyObject *list = PySequence_Tuple(paths);
  Py_ssize_t count = list ? PyTuple_GET_SIZE(list) : 0;
  *texts = PyMem_Calloc((size_t)count + 1, sizeof **texts);
  if (list && !*texts) PyErr_NoMemory();
  for (Py_ssize_t i = 0; i < count && *texts; i++) {
    (*texts)[i] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(list, i));
    if (!(*texts)[i]) break;
  }
  if (list && !PyErr_Occurred()) return list;
  PyMem_Free(*texts);
  Py_XDECREF(list);
  return NULL;
}

static PyObject *wrap_input(module_state *state, mm_input *take) {
  mm_error error;
  input_object *self = PyObject_New(input_object, (PyTypeObject *)state->input_type);
  if (!self) {
    mm_input_free(take);
    return NULL;
  }
  mm_live_add(MM_LIVE_inputs, 1);
  self->state = state;
  self->input = take;
  self->columns = (mm_schema){0};
  if (mm_schema_copy(&self->columns, mm_input_schema(take), &error) >= 0) return (PyObject *)self;
  Py_DECREF(self);
  return mm_raise(state, &error);
}

static PyObject *core_open_input(PyObject *module, PyObject *paths) {
  module_state *state = PyModule_GetState(module);
  const char **texts = NULL;
  PyObject *list = read_paths(paths, &texts);
  if (!list) return NULL;
  mm_csv_options options = {0};
  mm_input *input = NULL;
  mm_error error;
  int status;
  Py_BEGIN_ALLOW_THREADS
  status = mm_input_open(texts, (int32_t)PyTuple_GET_SIZE(list), &options, &input, &error);
  Py_END_ALLOW_THREADS
  PyMem_Free(texts);
  Py_DECREF(list);
  return status < 0 ? mm_raise(state, &error) : wrap_input(state, input);
}

static void input_dealloc(PyObject *object) {
  input_object *self = (input_object *)object;
  PyTypeObject *type = Py_TYPE(object);
  mm_live_add(MM_LIVE_inputs, -1);
  mm_input_free(self->input);
  mm_schema_free(&self->columns);
  PyObject_Free(object);
  Py_DECREF(type);
}

/* ---- Reading ---- */

bool mm_input_is(const module_state *state, PyObject *object) {
  return PyObject_TypeCheck(object, (PyTypeObject *)state->input_type);
}

mm_source *mm_input_take(plan_object *plan, PyObject *object) {
  input_object *self = (input_object *)object;
  mm_input *input = atomic_exchange(&self->input, NULL);
  mm_error error;
  mm_source *source;
  if (!input) {
    mm_raise_new(self->state, MM_ESTATE, "used-input", NULL, "open the files again", "this input has been read");
    return NULL;
  }
  Py_BEGIN_ALLOW_THREADS
  source = mm_input_source(input, mm_plan_reads(plan->plan), &error);
  Py_END_ALLOW_THREADS
  if (!source) mm_plan_raise(plan, &error);
  return source;
}

/* ---- The type ---- */

static PyObject *input_fields(PyObject *object, void *what) {
  return mm_fields_list(&((input_object *)object)->columns, (int)(intptr_t)what);
}

static PyGetSetDef attributes[] = {
    {"column_names", input_fields, NULL, "Names of the columns of the first file.", (void *)MM_FIELD_NAMES},
    {"types", input_fields, NULL, "Their types, from a sample.", (void *)MM_FIELD_TYPES},
    {"nullables", input_fields, NULL, "Whether they may hold nulls.", (void *)MM_FIELD_NULLABLES},
    {0}};

static PyType_Slot slots[] = {{Py_tp_doc, "Files that are open, to be read as one table, once."},
                              {Py_tp_dealloc, (void *)(uintptr_t)input_dealloc},
                              {Py_tp_getset, attributes},
                              {0}};

static PyType_Spec spec = {.name = "moonmill._core.Input",
                           .basicsize = sizeof(input_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

static PyMethodDef functions[] = {
    {"open_input", core_open_input, METH_O,
     "open_input($module, paths, /)\n--\n\nOpen files, to be read one after the other as one table."},
    {0}};

int mm_input_register(PyObject *module, module_state *state) {
  if (mm_type_register(module, &spec, &state->input_type) < 0) return -1;
  return PyModule_AddFunctions(module, functions);
}
