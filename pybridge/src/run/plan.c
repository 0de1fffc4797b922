/* plan.c - the Plan type: a pipeline bound to columns and parameters, as the session makes it.
 * SPDX-License-Identifier: MIT */
#include "run/plan.h"
#include "detached_call.h"
#include "errors.h"
#include "export/fields.h"
#include "text.h"
#include "session.h"
#include "stage.h"

/* ---- Making ---- */

static PyObject *plan_wrap(module_state *state, mm_session *session, mm_plan *take, int32_t number) {
  PyTypeObject *type = (PyTypeObject *)state->plan_type;
  plan_object *self = PyObject_New(plan_object, type);
  if (!self) {
    mm_plan_release(take);
    return NULL;
  }
  self->state = state;
  self->plan = take;
  mm_session_retain(session);
  self->session = session;
  self->number = number;
  live_count(LIVE_plans, 1);
  return (PyObject *)self;
}

plan_object *mmpy_plan_of(module_state *state, PyObject *object) {
  if (PyObject_TypeCheck(object, (PyTypeObject *)state->plan_type)) return (plan_object *)object;
  PyErr_Format(PyExc_TypeError, "expected a Plan, not %.100s", Py_TYPE(object)->tp_name);
  return NULL;
}

static void plan_dealloc(PyObject *object) {
  plan_object *self = (plan_object *)object;
  PyTypeObject *type = Py_TYPE(object);
  mm_session *session = self->session;
  mm_session_plan_drop(session, self->number);
  Py_BEGIN_ALLOW_THREADS
  mm_session_release(session);
  Py_END_ALLOW_THREADS
  mm_plan_release(self->plan);
  live_count(LIVE_plans, -1);
  PyObject_Free(object);
  Py_DECREF(type);
}

/* The type that a table calls so; what cannot be read is a foreign one. */
static mm_type type_of(const char *text) {
  mm_type type;
  mm_error error;
  return mm_type_parse(text, &type, &error) < 0 ? (mm_type){.id = MM_OPAQUE} : type;
}

static int add_field(module_state *state, mm_schema *schema, PyObject *name, PyObject *type, PyObject *nullable) {
  const char *text = PyUnicode_AsUTF8(name), *kind = text ? PyUnicode_AsUTF8(type) : NULL;
  int null = kind ? PyObject_IsTrue(nullable) : -1;
  mm_error error;
  if (null < 0) return -1;
  if (mm_schema_add(schema, text, type_of(kind), null, &error) >= 0) return 0;
  raise_error(state, &error);
  return -1;
}

/* Names, types and nullables as a schema; -1 and an exception. */
static int read_columns(module_state *state, PyObject *const *lists, mm_schema *schema) {
  PyObject *own[3] = {0};
  int status = 0;
  for (int i = 0; i < 3 && status == 0; i++) {
    own[i] = PySequence_Tuple(lists[i]);
    if (!own[i]) status = -1;
  }
  Py_ssize_t count = status == 0 ? PyTuple_GET_SIZE(own[0]) : 0;
  if (status == 0 && (PyTuple_GET_SIZE(own[1]) != count || PyTuple_GET_SIZE(own[2]) != count)) {
    PyErr_SetString(PyExc_ValueError, "plan: names, types and nullables are not of one length");
    status = -1;
  }
  for (Py_ssize_t i = 0; i < count && status == 0; i++)
    status =
        add_field(state, schema, PyTuple_GET_ITEM(own[0], i), PyTuple_GET_ITEM(own[1], i), PyTuple_GET_ITEM(own[2], i));
  for (int i = 0; i < 3; i++) Py_XDECREF(own[i]);
  return status;
}

/* Names and values in turns; the texts live as long as `items`. NULL and an exception. */
static mm_text *read_params(module_state *state, PyObject *items) {
  Py_ssize_t count = PyList_GET_SIZE(items);
  mm_text *texts = PyMem_Calloc(2 * (size_t)count + 1, sizeof *texts);
  if (!texts) PyErr_NoMemory();
  for (Py_ssize_t i = 0; i < count && texts; i++) {
    PyObject *pair = PyList_GET_ITEM(items, i);
    if (mmpy_text_read(state, PyTuple_GET_ITEM(pair, 0), "the name of a parameter", &texts[2 * i]) == 0
        && mmpy_text_read(state, PyTuple_GET_ITEM(pair, 1), "a parameter", &texts[2 * i + 1]) == 0)
      continue;
    PyMem_Free(texts);
    return NULL;
  }
  return texts;
}

static PyObject *bind_plan(module_state *state, mm_session *session, int32_t handle, const mm_schema *schema,
                           const mm_text *params, int32_t count) {
  mm_plan *plan = NULL;
  int32_t number = 0;
  mm_buffer failures = {0};
  mm_error error = {0};
  detached_call call;
  detached_call_begin(&call, state);
  int status = mm_session_plan(session, handle, schema, params, count, &call.pulse, &plan, &number, &failures, &error);
  detached_call_end(&call);
  return status < 0 ? raise_failures(state, &failures, &error) : plan_wrap(state, session, plan, number);
}

PyObject *mmpy_plan_bind(module_state *state, mm_session *session, PyObject *const *arguments) {
  long handle = PyLong_AsLong(arguments[0]);
  if (handle == -1 && PyErr_Occurred()) return NULL;
  PyObject *items = PyMapping_Items(arguments[4]), *made = NULL;
  if (!items) return NULL;
  mm_schema schema = {0};
  mm_text *params = read_params(state, items);
  if (params && read_columns(state, arguments + 1, &schema) == 0)
    made = bind_plan(state, session, (int32_t)handle, &schema, params, 2 * (int32_t)PyList_GET_SIZE(items));
  PyMem_Free(params);
  mm_schema_free(&schema);
  Py_DECREF(items);
  return made;
}

/* ---- Failures ---- */

PyObject *mmpy_plan_raise(plan_object *plan, const mm_error *failure) {
  mm_buffer failures = {0};
  mm_error error = {0};
  detached_call call;
  detached_call_begin(&call, plan->state);
  int status = mm_session_failure(plan->session, plan->number, failure, &call.pulse, &failures, &error);
  detached_call_end(&call);
  if (status >= 0 || PyErr_Occurred()) return raise_failures(plan->state, &failures, &error);
  mm_buffer_free(&failures);
  return raise_error(plan->state, failure); /* without its place in the script */
}

/* ---- Attributes ---- */

static PyObject *plan_reads(PyObject *object, void *closure) {
  (void)closure;
  return fields_list(mm_plan_reads(((plan_object *)object)->plan), FIELD_NAMES);
}

static PyObject *plan_fields(PyObject *object, void *what) {
  return fields_list(mm_plan_gives(((plan_object *)object)->plan), (int)(intptr_t)what);
}

static PyObject *plan_flag(PyObject *object, void *flag) {
  return PyBool_FromLong(mm_plan_flags(((plan_object *)object)->plan) & (int32_t)(intptr_t)flag);
}

static PyGetSetDef attributes[] = {
    {"reads", plan_reads, NULL, "Names of the columns that are read.", NULL},
    {"column_names", plan_fields, NULL, "Names of the columns of the result.", (void *)FIELD_NAMES},
    {"types", plan_fields, NULL, "Types of the columns of the result.", (void *)FIELD_TYPES},
    {"nullables", plan_fields, NULL, "Whether the columns of the result may hold nulls.", (void *)FIELD_NULLABLES},
    {"keeps_rows", plan_flag, NULL, "The result has a row for each row of the input.", (void *)MM_STAGE_KEEPS_ROWS},
    {"breaks", plan_flag, NULL, "The first row of the result needs all rows of the input.", (void *)MM_STAGE_BREAKER},
    {"can_fail", plan_flag, NULL, "A row may make it fail.", (void *)MM_STAGE_CAN_FAIL},
    {0}};

/* ---- The type ---- */

static PyType_Slot slots[] = {{Py_tp_doc, "A pipeline bound to the columns of a table and to parameters."},
                              {Py_tp_dealloc, (void *)(uintptr_t)plan_dealloc},
                              {Py_tp_getset, attributes},
                              {0}};

static PyType_Spec spec = {.name = "moonmill._core.Plan",
                           .basicsize = sizeof(plan_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

int mmpy_plan_register(PyObject *module, module_state *state) {
  return mmpy_type_register(module, &spec, &state->plan_type);
}
