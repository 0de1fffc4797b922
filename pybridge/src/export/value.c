/* value.c - values of columns as Python objects.
 * SPDX-License-Identifier: MIT */
#include "export/value.h"
#include "datetime_api.h"
#include "errors.h"

static bool bit_at(const void *bits, int64_t i) { return ((const uint64_t *)bits)[i >> 6] >> (i & 63) & 1; }

/* An exact number of days, seconds and microseconds; floored, as timedelta wants it. */
static PyObject *delta_of(int64_t days, int64_t seconds, int64_t micros) {
  if (days < -999999999 || days > 999999999) return PyErr_Format(PyExc_OverflowError, "%lld days", (long long)days);
  return PyDelta_FromDSU((int)days, (int)seconds, (int)micros);
}

static int64_t floor_divide(int64_t a, int64_t b, int64_t *rest) {
  int64_t quotient = a / b;
  *rest = a % b;
  if (*rest < 0) {
    *rest += b;
    quotient--;
  }
  return quotient;
}

/* A count of units as a timedelta; nanoseconds that it cannot hold are refused. */
static PyObject *delta_of_units(int64_t value, int unit, bool *lossy) {
  static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};
  int64_t fraction, seconds, days;
  days = floor_divide(floor_divide(value, per_second[unit & 3], &fraction), 86400, &seconds);
  if (unit == MM_NANOS && fraction % 1000) {
    *lossy = true;
    return NULL;
  }
  return delta_of(days, seconds, unit == MM_NANOS ? fraction / 1000 : fraction * (1000000 / per_second[unit & 3]));
}

static PyObject *after_epoch(PyObject *epoch, PyObject *delta) {
  PyObject *sum = epoch && delta ? PyNumber_Add(epoch, delta) : NULL;
  Py_XDECREF(epoch);
  Py_XDECREF(delta);
  return sum;
}

static PyObject *time_value(mm_type type, const mm_column *chunk, int64_t row, bool *lossy) {
  if (!datetime_ready()) return NULL;
  if (type.id == MM_DATE)
    return after_epoch(PyDate_FromDate(1970, 1, 1), delta_of(((const int32_t *)chunk->data)[row], 0, 0));
  int64_t value = ((const int64_t *)chunk->data)[row];
  PyObject *delta = delta_of_units(value, type.unit, lossy);
  if (!delta || type.id == MM_DURATION) return delta;
  PyObject *zone = type.zone ? PyDateTime_TimeZone_UTC : Py_None;
  return after_epoch(PyDateTimeAPI->DateTime_FromDateAndTime(1970, 1, 1, 0, 0, 0, 0, zone, PyDateTimeAPI->DateTimeType),
                     delta);
}

/* Dates of the years 1 to 9999 and whole microseconds are what Python has. */
static PyObject *refuse_time(module_state *state, const mm_field *field, const mm_column *chunk, int64_t row,
                             bool lossy) {
  char text[128];
  if (!lossy && !PyErr_ExceptionMatches(PyExc_OverflowError)) return NULL;
  PyErr_Clear();
  mm_buffer shown = {0};
  mm_column_text(chunk, row, &shown, NULL);
  mm_buffer_append(&shown, "", 1, NULL);
  raise_new(state, MM_EDATA, "no-datetime", field->name, "data() and Arrow arrays show it exactly",
            "%s %s does not fit Python's %s", mm_type_name(field->type, text, sizeof text),
            shown.data ? (const char *)shown.data : "",
            field->type.id == MM_DURATION ? "timedelta"
            : lossy                       ? "datetime, which has microseconds"
                                          : "years 1 to 9999");
  mm_buffer_free(&shown);
  return NULL;
}

static PyObject *text_value(const mm_column *chunk, int64_t row) {
  const char *bytes = (const char *)chunk->data + chunk->offsets[row];
  Py_ssize_t size = chunk->offsets[row + 1] - chunk->offsets[row];
  return chunk->type.id == MM_UTF8 ? PyUnicode_DecodeUTF8(bytes, size, NULL) : PyBytes_FromStringAndSize(bytes, size);
}

PyObject *value_make(module_state *state, const mm_field *field, const mm_column *chunk, int64_t row) {
  if (chunk->type.id == MM_NULL || (chunk->valid && !bit_at(chunk->valid, row))) Py_RETURN_NONE;
  switch (chunk->type.id) {
  case MM_BOOL: return PyBool_FromLong(bit_at(chunk->data, row));
  case MM_I8: return PyLong_FromLong(((const int8_t *)chunk->data)[row]);
  case MM_I16: return PyLong_FromLong(((const int16_t *)chunk->data)[row]);
  case MM_I32: return PyLong_FromLong(((const int32_t *)chunk->data)[row]);
  case MM_I64: return PyLong_FromLongLong(((const int64_t *)chunk->data)[row]);
  case MM_U8: return PyLong_FromLong(((const uint8_t *)chunk->data)[row]);
  case MM_U16: return PyLong_FromLong(((const uint16_t *)chunk->data)[row]);
  case MM_U32: return PyLong_FromUnsignedLong(((const uint32_t *)chunk->data)[row]);
  case MM_U64: return PyLong_FromUnsignedLongLong(((const uint64_t *)chunk->data)[row]);
  case MM_F32: return PyFloat_FromDouble((double)((const float *)chunk->data)[row]);
  case MM_F64: return PyFloat_FromDouble(((const double *)chunk->data)[row]);
  case MM_UTF8:
  case MM_BINARY: return text_value(chunk, row);
  case MM_OPAQUE:
    return raise_new(state, MM_EUSAGE, "opaque-column", field->name, "to_pylist() has them, by way of pyarrow",
                     "values of a foreign type cannot be shown as Python objects");
  default: break;
  }
  bool lossy = false;
  PyObject *value = time_value(chunk->type, chunk, row, &lossy);
  return value ? value : refuse_time(state, field, chunk, row, lossy);
}
