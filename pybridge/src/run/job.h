/* job.h - the Job object, for run().
 * SPDX-License-Identifier: MIT */
#pragma once
#include "run/request.h"

PyObject *mm_job_submit(module_state *state, const mm_request *asked);
mm_work  *mm_job_work(PyObject *job); /* borrowed */
PyObject *mm_job_table(PyObject *job, PyObject *unused);
