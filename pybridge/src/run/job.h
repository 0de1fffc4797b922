/* job.h - the Job object, for run().
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/request.h"

PyObject *mmpy_job_submit(module_state *state, const run_request *asked);
execution  *mmpy_job_execution(PyObject *job); /* borrowed */
PyObject *mmpy_job_table(PyObject *job, PyObject *unused);
