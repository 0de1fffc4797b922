/* input.c - files as they are opened for a run: their columns, and runs that read them and write a table or a file.
 *
 * DESIGN. An Input is opened once and used once, so that pipes work too. A run waits as job.c does: without the GIL, in slices between which
 * signals are handled.
 *
 * SPDX-License-Identifier: MIT */
#include "host.h"
#include "plan.h"

enum { SLICE_MS = 50, PATIENCE_MS = 2000 };

typedef struct input_object {
  PyObject_HEAD module_state *state;
  mm_input *input; /* NULL once it was used */
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

/* ---- Running ---- */

typedef struct reading {
  plan_object *plan;
  mm_job *job;
  mm_stage *sink; /* of the job */
  PyObject *watch;
  double began, limit;
  bool late;
} reading;

static PyObject *counters_of(const reading *run) {
  mm_progress now;
  mm_job_progress(run->job, &now);
  return Py_BuildValue("{sLsLsLsLsd}", "rows", (long long)now.rows, "rows_out", (long long)now.rows_out, "bytes",
                       (long long)now.bytes, "bytes_total", (long long)now.bytes_total, "seconds",
                       mm_host_clock() - run->began);
}

/* Tell who watches, and let signals be handled; -1 and an exception. */
static int beat(const reading *run) {
  if (PyErr_CheckSignals() < 0) return -1;
  if (!run->watch) return 0;
  PyObject *counters = counters_of(run);
  PyObject *answer = counters ? PyObject_CallOneArg(run->watch, counters) : NULL;
  Py_XDECREF(counters);
  Py_XDECREF(answer);
  return answer ? 0 : -1;
}

/* Wait for the end: 0, or a failure of the job. -1 in `broken`: an exception, and the job has been told to stop. */
static int wait_for(reading *run, bool *broken, mm_error *error) {
  double stopping = 0;
  for (;;) {
    int status;
    Py_BEGIN_ALLOW_THREADS
    status = mm_job_wait(run->job, SLICE_MS, error);
    Py_END_ALLOW_THREADS
    double now = mm_host_clock();
    if (status <= 0) return status;
    if (!*broken && !run->late && beat(run) < 0) *broken = true;
    if (run->limit > 0 && now - run->began > run->limit) run->late = true;
    if (stopping > 0 && now - stopping > PATIENCE_MS * 1e-3) { /* its threads cannot be stopped: it stays behind */
      mm_sink_abandon(run->sink);
      run->job = NULL;
      return MM_ECANCEL;
    }
    if ((!*broken && !run->late) || stopping > 0) continue;
    stopping = now;
    mm_job_cancel(run->job, run->late ? MM_ELIMIT : MM_ECANCEL);
  }
}

static PyObject *result_of(const reading *run, bool written) {
  mm_table table = {0};
  mm_error error;
  if (written) return counters_of(run);
  if (mm_job_take_result(run->job, &table, NULL, &error) >= 0) return mm_table_wrap(run->plan->state, &table, 0, 0);
  mm_table_free(&table);
  return mm_raise(run->plan->state, &error);
}

static PyObject *run_job(reading *run, bool written) {
  mm_error error = {0};
  bool broken = false;
  PyObject *result = NULL;
  run->began = mm_host_clock();
  int status = mm_job_start(run->job, &error);
  if (status >= 0) status = wait_for(run, &broken, &error);
  if (broken) result = NULL;
  else if (status >= 0) result = result_of(run, written);
  else if (run->late)
    mm_raise_new(run->plan->state, MM_ELIMIT, "timeout", NULL, NULL, "stopped after %g seconds, as timeout asked",
                 run->limit);
  else mm_plan_raise(run->plan, &error);
  Py_BEGIN_ALLOW_THREADS
  mm_job_free(run->job);
  Py_END_ALLOW_THREADS
  return result;
}

/* The job from the files to a file, or to a table where no path is given; -1 and an error. The input is used up. */
static int make_job(reading *run, input_object *input, const char *path, int threads, mm_error *error) {
  mm_job_options options = {.threads = threads};
  mm_output_options settings = {0};
  mm_source *source = mm_input_source(input->input, mm_plan_reads(run->plan->plan), error);
  input->input = NULL;
  run->job = source ? mm_plan_job(run->plan->plan, source, &options, error) : NULL;
  if (run->job) run->sink = path ? mm_sink_csv(path, &settings, error) : mm_sink_table(-1, error);
  if (run->sink && mm_job_add(run->job, run->sink, error) >= 0) return 0;
  mm_job_free(run->job);
  return -1;
}

static PyObject *core_run_input(PyObject *module, PyObject *arguments, PyObject *keywords) {
  static char *names[] = {"", "", "output", "threads", "timeout", "watch", NULL};
  module_state *state = PyModule_GetState(module);
  PyObject *plan, *source, *watch = NULL;
  const char *path = NULL;
  int threads = 0;
  reading run = {0};
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO!|zidO:run_input", names, &plan, state->input_type, &source,
                                   &path, &threads, &run.limit, &watch))
    return NULL;
  run.plan = mm_plan_of(state, plan);
  run.watch = watch == Py_None ? NULL : watch;
  input_object *input = (input_object *)source;
  if (!run.plan) return NULL;
  if (!input->input)
    return mm_raise_new(state, MM_ESTATE, "used-input", NULL, "open the files again", "this input has been read");
  mm_error error;
  int status;
  Py_BEGIN_ALLOW_THREADS
  status = make_job(&run, input, path, threads, &error);
  Py_END_ALLOW_THREADS
  return status < 0 ? mm_plan_raise(run.plan, &error) : run_job(&run, path != NULL);
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
    {"run_input", MM_METHOD(core_run_input), METH_VARARGS | METH_KEYWORDS,
     "run_input($module, plan, input, /, output=None, threads=0, timeout=0.0, watch=None)\n--\n\n"
     "Run a plan over files: to a file, which gives counters, or to a table."},
    {0}};

int mm_input_register(PyObject *module, module_state *state) {
  if (mm_type_register(module, &spec, &state->input_type) < 0) return -1;
  return PyModule_AddFunctions(module, functions);
}
