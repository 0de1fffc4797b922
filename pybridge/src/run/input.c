/* input.c - the Input type: files as they are opened for a run, with their columns.
 *
 * DESIGN. An Input is opened once and used once, so that pipes work too.
 *
 * SPDX-License-Identifier: MIT */
#include "run/input.h"
#include "deferred_release.h"
#include "detached_call.h"
#include "errors.h"
#include "export/fields.h"
#include "import/buffer_protocol.h"
#include <math.h>

typedef struct input_object {
  PyObject_HEAD module_state *state;
  _Atomic(mm_input *) input; /* NULL once it was used */
  mm_schema columns;
} input_object;

/* ---- Opening ---- */

/* The bytes of a sequence of paths, which live as long as the list given back; NULL and an exception. */
static PyObject *read_paths(PyObject *paths, const char ***texts) {
  PyObject *list = PySequence_List(paths);
  Py_ssize_t count = list ? PyList_GET_SIZE(list) : 0;
  *texts = PyMem_Calloc((size_t)count + 1, sizeof **texts);
  if (list && !*texts) PyErr_NoMemory();
  for (Py_ssize_t i = 0; i < count && *texts; i++) {
    PyObject *bytes = NULL;
    if (!PyUnicode_FSConverter(PyList_GET_ITEM(list, i), &bytes)) break;
    PyList_SetItem(list, i, bytes);
    (*texts)[i] = PyBytes_AS_STRING(bytes);
  }
  if (list && !PyErr_Occurred()) return list;
  PyMem_Free(*texts);
  *texts = NULL;
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
  live_count(LIVE_inputs, 1);
  self->state = state;
  self->input = take;
  self->columns = (mm_schema){0};
  if (mm_schema_copy(&self->columns, mm_input_schema(take), &error) >= 0) return (PyObject *)self;
  Py_DECREF(self);
  return raise_error(state, &error);
}

/* What is opened: paths, or buffers with names; and the options for reading. */
typedef struct opening {
  PyObject *paths, *buffers, *options; /* borrowed */
  PyObject *list, *pairs;
  const char **texts;
  mm_block **blocks;
  mm_option *read;
  Py_ssize_t count;
} opening;

/* Everything but the bytes; -1 and an exception. */
static int read_arguments(PyObject *arguments, PyObject *keywords, opening *to, mm_input_options *options) {
  static char *names[] = {"", "format", "options", "patience", "buffers", NULL};
  double patience = 0;
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|$zOdO:open_input", names, &to->paths, &options->format,
                                   &to->options, &patience, &to->buffers))
    return -1;
  if (patience > 0 && patience < INT64_MAX / 1000) options->open_timeout = (int64_t)ceil(patience * 1000);
  to->list = read_paths(to->paths, &to->texts);
  to->count = to->list ? PyList_GET_SIZE(to->list) : 0;
  return to->list ? 0 : -1;
}

/* Names and values of options, which live as long as `pairs`; -1 and an exception. */
static int read_options(opening *to, mm_input_options *options) {
  Py_ssize_t size;
  if (!to->options) return 0;
  if (!(to->pairs = PySequence_Tuple(to->options))) return -1;
  Py_ssize_t count = PyTuple_GET_SIZE(to->pairs);
  if (!(to->read = PyMem_Calloc((size_t)count + 1, sizeof *to->read))) {
    PyErr_NoMemory();
    return -1;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject *pair = PyTuple_GET_ITEM(to->pairs, i);
    mm_option *option = &to->read[i];
    if (!PyTuple_Check(pair)) PyErr_SetString(PyExc_TypeError, "an option is a tuple of a name and a value");
    if (PyErr_Occurred() || !PyArg_ParseTuple(pair, "ss#", &option->key, &option->value, &size)) return -1;
    option->size = size;
  }
  options->options = to->read;
  options->option_count = (int32_t)count;
  return 0;
}

/* Bytes of Python's objects as blocks that hold them; -1 and an exception. */
static int read_buffers(module_state *state, opening *to) {
  PyObject *list = PySequence_Tuple(to->buffers);
  if (list && PyTuple_GET_SIZE(list) != to->count) PyErr_SetString(PyExc_ValueError, "give a path for each buffer");
  else if (list && !(to->blocks = PyMem_Calloc((size_t)to->count + 1, sizeof(mm_block *)))) PyErr_NoMemory();
  for (Py_ssize_t i = 0; i < to->count && to->blocks; i++) {
    borrowed_buffer borrow = {0};
    if (borrowed_buffer_take(state, PyTuple_GET_ITEM(list, i), to->texts[i], false, &borrow) < 0) break;
    bool bytes = borrow.type.id == MM_U8 || borrow.type.id == MM_I8;
    if (bytes) to->blocks[i] = borrowed_buffer_block(state, &borrow);
    else
      raise_new(state, MM_EUSAGE, "wrong-type", NULL, "give a buffer of bytes", "%s is no buffer of bytes",
                to->texts[i]);
    borrowed_buffer_return(&borrow);
    if (!to->blocks[i]) break;
  }
  Py_XDECREF(list);
  return PyErr_Occurred() ? -1 : 0;
}

static void close_opening(opening *o) {
  for (Py_ssize_t i = 0; i < o->count && o->blocks; i++) mm_block_release(o->blocks[i]);
  PyMem_Free(o->blocks);
  PyMem_Free(o->texts);
  PyMem_Free(o->read);
  Py_XDECREF(o->list);
  Py_XDECREF(o->pairs);
}

/* Open it, while others may hold the GIL; negative and an exception. */
static int open_detached(module_state *state, const opening *given, mm_input_options *options, mm_input **input) {
  mm_error error;
  detached_call call;
  options->blocks = given->blocks;
  detached_call_begin(&call, state);
  options->interrupt = call.pulse.beat;
  options->context = call.pulse.context;
  int status = mm_input_open(given->texts, (int32_t)given->count, options, input, &error);
  detached_call_end(&call);
  if (status < 0 && !PyErr_Occurred()) raise_error(state, &error);
  return status;
}

static PyObject *core_open_input(PyObject *module, PyObject *arguments, PyObject *keywords) {
  module_state *state = PyModule_GetState(module);
  opening given = {0};
  mm_input_options options = {0};
  mm_input *input = NULL;
  deferred_release_drain();
  int status = read_arguments(arguments, keywords, &given, &options);
  bool in_memory = given.buffers && given.buffers != Py_None;
  if (status >= 0) status = read_options(&given, &options);
  if (status >= 0 && in_memory) status = read_buffers(state, &given);
  if (status >= 0) status = open_detached(state, &given, &options, &input);
  close_opening(&given);
  if (status >= 0 && PyErr_Occurred()) { /* a signal that came when all was there */
    mm_input_free(input);
    status = -1;
  }
  return status < 0 ? NULL : wrap_input(state, input);
}

static void input_dealloc(PyObject *object) {
  input_object *self = (input_object *)object;
  PyTypeObject *type = Py_TYPE(object);
  live_count(LIVE_inputs, -1);
  mm_input_free(self->input);
  mm_schema_free(&self->columns);
  PyObject_Free(object);
  Py_DECREF(type);
}

/* ---- Reading ---- */

bool mmpy_input_is(const module_state *state, PyObject *object) {
  return PyObject_TypeCheck(object, (PyTypeObject *)state->input_type);
}

mm_source *mmpy_input_take(plan_object *plan, PyObject *object) {
  input_object *self = (input_object *)object;
  mm_input *input = atomic_exchange(&self->input, NULL);
  mm_error error;
  mm_source *source;
  if (!input) {
    raise_new(self->state, MM_ESTATE, "used-input", NULL, "open the files again", "this input has been read");
    return NULL;
  }
  Py_BEGIN_ALLOW_THREADS
  source = mm_input_source(input, mm_plan_reads(plan->plan), &error);
  Py_END_ALLOW_THREADS
  if (!source) mmpy_plan_raise(plan, &error);
  return source;
}

/* ---- The type ---- */

static PyObject *input_fields(PyObject *object, void *what) {
  return fields_list(&((input_object *)object)->columns, (int)(intptr_t)what);
}

static PyGetSetDef attributes[] = {
    {"column_names", input_fields, NULL, "Names of the columns of the first file.", (void *)FIELD_NAMES},
    {"types", input_fields, NULL, "Their types, from a sample.", (void *)FIELD_TYPES},
    {"nullables", input_fields, NULL, "Whether they may hold nulls.", (void *)FIELD_NULLABLES},
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
    {"open_input", MMPY_METHOD(core_open_input), METH_VARARGS | METH_KEYWORDS,
     "open_input($module, paths, /, *, format=None, options=(), patience=0.0, buffers=None)\n"
     "--\n\nOpen files, to be read one after the other as one table; options as the session gives them."},
    {0}};

int mmpy_input_register(PyObject *module, module_state *state) {
  if (mmpy_type_register(module, &spec, &state->input_type) < 0) return -1;
  return PyModule_AddFunctions(module, functions);
}
