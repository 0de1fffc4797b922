/* deadline.c - the deadline of this thread: of the script, the plan, the opening of files and the job together.
 * SPDX-License-Identifier: MIT */
#include "deadline.h"
#include "errors.h"
#include "host.h"
#include <math.h>

static _Thread_local deadline current; /* until 0: none */

const deadline *deadline_here(void) { return current.until > 0 ? &current : NULL; }

int deadline_read(PyObject *timeout, double *seconds) {
  *seconds = 0;
  if (!timeout || timeout == Py_None) return 0;
  double given = PyFloat_AsDouble(timeout);
  bool wrong = given == -1 && PyErr_Occurred();
  if (wrong && !PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
  if (wrong || !(given >= 0)) {
    PyErr_Format(wrong ? PyExc_TypeError : PyExc_ValueError, "timeout is %R, expected a number of seconds from 0",
                 timeout);
    return -1;
  }
  if (given == 0) given = AT_ONCE;
  if (!isinf(given)) *seconds = given;
  return 0;
}

PyObject *deadline_raise(module_state *state, double seconds) {
  return raise_new(state, MM_ELIMIT, "timeout", NULL, NULL, "stopped after %g seconds, as timeout asked",
                   seconds <= AT_ONCE ? 0 : seconds);
}

/* What was set before, for restore_deadline. */
static PyObject *core_set_deadline(PyObject *module, PyObject *timeout) {
  (void)module;
  double seconds;
  if (deadline_read(timeout, &seconds) < 0) return NULL;
  PyObject *before = Py_BuildValue("(dd)", current.until, current.seconds);
  if (before) current = (deadline){seconds > 0 ? mm_host_clock() + seconds : 0, seconds};
  return before;
}

static PyObject *core_restore_deadline(PyObject *module, PyObject *before) {
  (void)module;
  deadline former;
  if (!PyArg_ParseTuple(before, "dd", &former.until, &former.seconds)) return NULL;
  current = former;
  Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"set_deadline", core_set_deadline, METH_O,
     "set_deadline($module, timeout, /)\n--\n\nWhat this thread does is stopped after so many seconds (None: as it "
     "comes). Returns what to restore."},
    {"restore_deadline", core_restore_deadline, METH_O,
     "restore_deadline($module, before, /)\n--\n\nSet the deadline that set_deadline returned."},
    {0}};

int mmpy_deadline_register(PyObject *module, module_state *state) {
  (void)state;
  return PyModule_AddFunctions(module, functions);
}
