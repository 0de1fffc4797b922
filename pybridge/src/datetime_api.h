/* datetime_api.h - dates and times of Python, by the interface of its datetime module.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "bridge.h"
#include <datetime.h>

/* Fill in PyDateTimeAPI, which each file has for itself, when the first time value is met: importing it costs a
 * millisecond. It is written once, whichever threads meet here. False and an exception. */
static inline bool datetime_ready(void) {
  if (__atomic_load_n(&PyDateTimeAPI, __ATOMIC_ACQUIRE)) return true;
  PyDateTime_CAPI *none = NULL, *found = PyCapsule_Import(PyDateTime_CAPSULE_NAME, 0);
  if (found) __atomic_compare_exchange_n(&PyDateTimeAPI, &none, found, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  return found != NULL;
}
