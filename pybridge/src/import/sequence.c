/* sequence.c - Python values as a column: one look finds the type, a second fills it.
 *
 * DESIGN. The values are held in a list of our own, since looking at them can run Python code. Integers and floats mix,
 * as floats, where no integer loses a digit; nothing else does. None, NaT and pandas' NA are null.
 *
 * SPDX-License-Identifier: MIT */
#include "column_bytes.h"
#include "datetime_api.h"
#include "errors.h"
#include "import/chunked_column.h"
#include "text.h"
#include <string.h>

/* Kinds of values; a column has one, or ints and floats. */
enum { NONE, BOOL, INT, FLOAT, TEXT, BYTES, DATE, NAIVE, AWARE, DELTA, OTHER, KINDS };
static const char *const kind_names[KINDS] = {
    "None", "bool", "int", "float", "str", "bytes", "date", "datetime", "datetime with a zone", "timedelta", "object"};

typedef struct items {
  const column_request *ask;
  PyObject *values; /* list */
  Py_ssize_t count;
  int kind; /* of all values that are not null; INT beyond i64 is `large` */
  bool nulls, large;
  int64_t bytes; /* of text */
} items;

static int refuse_item(const items *in, Py_ssize_t row, int code, const char *id, const char *hint, const char *what) {
  PyObject *value = PyList_GET_ITEM(in->values, row);
  raise_new(in->ask->state, code, id, in->ask->name, hint, "row %zd, of type %.100s: %s", row + 1,
            Py_TYPE(value)->tp_name, what);
  return -1;
}

/* What a column of objects of some kind is converted with, in pandas. */
static const char *const conversions[KINDS] = {
    [BOOL] = "convert it with astype(\"boolean\"), which keeps None",
    [INT] = "convert it with astype(\"Int64\"), which keeps None",
    [FLOAT] = "convert it with astype(\"float64\")",
    [DATE] = "convert it with pandas.to_datetime()",
    [NAIVE] = "convert it with pandas.to_datetime()",
    [AWARE] = "convert it with pandas.to_datetime()",
    [DELTA] = "convert it with pandas.to_timedelta()",
};

/* ---- Kinds ---- */

static bool is_missing(PyObject *value) {
  const char *name = Py_TYPE(value)->tp_name;
  return strcmp(name, "NAType") == 0 || strcmp(name, "NaTType") == 0
         || strcmp(name, "pandas._libs.missing.NAType") == 0;
}

static int kind_of_time(PyObject *value) {
  if (!datetime_ready()) return -1;
  if (PyDateTime_Check(value)) return PyDateTime_DATE_GET_TZINFO(value) == Py_None ? NAIVE : AWARE;
  if (PyDate_Check(value)) return DATE;
  return PyDelta_Check(value) ? DELTA : OTHER;
}

static int kind_of(const column_request *ask, PyObject *value) {
  if (value == Py_None) return NONE;
  if (PyFloat_Check(value)) return ask->nan_is_null && Py_IS_NAN(PyFloat_AS_DOUBLE(value)) ? NONE : FLOAT;
  if (PyBool_Check(value)) return BOOL;
  if (PyLong_Check(value)) return INT;
  if (PyUnicode_Check(value)) return TEXT;
  if (PyBytes_Check(value)) return BYTES;
  return is_missing(value) ? NONE : kind_of_time(value);
}

/* The kind of a value; a scalar of numpy becomes Python's: in place, since the list is ours. */
static int plain_kind(items *in, Py_ssize_t row) {
  PyObject *value = PyList_GET_ITEM(in->values, row), *dtype = NULL;
  int kind = kind_of(in->ask, value);
  if (kind != OTHER || attribute_find(value, "dtype", &dtype) <= 0) return PyErr_Occurred() ? -1 : kind;
  Py_DECREF(dtype);
  PyObject *plain = PyObject_CallMethod(value, "item", NULL);
  if (!plain) return -1;
  PyList_SetItem(in->values, row, plain);
  return kind_of(in->ask, plain);
}

static int note_int(items *in, Py_ssize_t row) {
  int overflow;
  long long value = PyLong_AsLongLongAndOverflow(PyList_GET_ITEM(in->values, row), &overflow);
  if (value == -1 && PyErr_Occurred()) return -1;
  if (overflow > 0) in->large = true;
  return overflow < 0 ? refuse_item(in, row, MM_EDATA, "out-of-range", NULL, "the number does not fit 64 bits") : 0;
}

/* What has no UTF-8: -1 and an exception. Texts of code points of 4 bytes, which may still have it, come here too. */
static int look_closely(const items *in, Py_ssize_t row, Py_ssize_t *size) {
  const char *problem;
  char what[128];
  PyErr_Clear();
  if (mmpy_utf8_find(PyList_GET_ITEM(in->values, row), size, &problem)) return 0;
  if (!problem) return -1;
  snprintf(what, sizeof what, "the text %s", problem);
  return refuse_item(in, row, MM_EDATA, "bad-utf8", NULL, what);
}

static int note_text(items *in, Py_ssize_t row, int kind) {
  PyObject *value = PyList_GET_ITEM(in->values, row);
  Py_ssize_t size = PyBytes_Check(value) ? PyBytes_GET_SIZE(value) : 0;
  if (kind == TEXT && (PyUnicode_KIND(value) == PyUnicode_4BYTE_KIND || !PyUnicode_AsUTF8AndSize(value, &size))
      && look_closely(in, row, &size) < 0)
    return -1;
  in->bytes += size;
  if (in->bytes <= INT32_MAX) return 0;
  raise_new(in->ask->state, MM_ELIMIT, "limit", in->ask->name, "pass an Arrow array, or tables of fewer rows",
            "more than 2 GiB of text in one list");
  return -1;
}

static int mix_kinds(items *in, Py_ssize_t row, int kind) {
  char text[128];
  if (in->kind == NONE || in->kind == kind) in->kind = kind;
  else if ((in->kind == INT && kind == FLOAT) || (in->kind == FLOAT && kind == INT)) in->kind = FLOAT;
  else {
    PyOS_snprintf(text, sizeof text, "%s among values of type %s", kind_names[kind], kind_names[in->kind]);
    return refuse_item(in, row, MM_EUSAGE, "mixed-types", "a column has values of one type, and None", text);
  }
  return 0;
}

static int find_kind(items *in, bool text_only) {
  for (Py_ssize_t i = 0; i < in->count; i++) {
    int kind = plain_kind(in, i);
    if (kind < 0 || signals_check(i) < 0) return -1;
    if (kind == NONE) {
      in->nulls = true;
      continue;
    }
    if (kind == OTHER)
      return refuse_item(in, i, MM_EUSAGE, "unsupported-type", "convert them to numbers, text, dates or times",
                         "such values have no type here");
    if (text_only && kind != TEXT && kind != BYTES)
      return refuse_item(in, i, MM_EUSAGE, "unsupported-type",
                         in->ask->nan_is_null ? conversions[kind] : "give array.tolist(), in which None is null",
                         "a column of objects may hold text only");
    if (mix_kinds(in, i, kind) < 0 || (kind == INT && note_int(in, i) < 0)) return -1;
    if ((kind == TEXT || kind == BYTES) && note_text(in, i, kind) < 0) return -1;
  }
  return 0;
}

/* ---- Times ---- */

/* Days since 1970-01-01 of a date or datetime: years begin in March here, so that leap days end them. */
static int64_t days_of(PyObject *value) {
  int64_t year = PyDateTime_GET_YEAR(value), month = PyDateTime_GET_MONTH(value), day = PyDateTime_GET_DAY(value);
  year -= month < 3;
  int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return year * 365 + year / 4 - year / 100 + year / 400 + in_year - 719468;
}

static int micros_of_delta(PyObject *delta, int64_t *micros) {
  int64_t seconds = (int64_t)PyDateTime_DELTA_GET_DAYS(delta) * 86400 + PyDateTime_DELTA_GET_SECONDS(delta);
  return __builtin_mul_overflow(seconds, INT64_C(1000000), micros)
                 || __builtin_add_overflow(*micros, (int64_t)PyDateTime_DELTA_GET_MICROSECONDS(delta), micros)
             ? -1
             : 0;
}

/* Microseconds since the epoch; of UTC where there is a zone. */
static int micros_of(PyObject *value, bool aware, int64_t *micros) {
  int64_t seconds = (days_of(value) * 24 + PyDateTime_DATE_GET_HOUR(value)) * 3600
                    + PyDateTime_DATE_GET_MINUTE(value) * 60 + PyDateTime_DATE_GET_SECOND(value);
  *micros = seconds * 1000000 + PyDateTime_DATE_GET_MICROSECOND(value);
  if (!aware || PyDateTime_DATE_GET_TZINFO(value) == PyDateTime_TimeZone_UTC) return 0;
  PyObject *offset = PyObject_CallMethod(value, "utcoffset", NULL);
  int64_t shift = 0;
  if (offset && PyDelta_Check(offset)) micros_of_delta(offset, &shift);
  *micros -= shift;
  Py_XDECREF(offset);
  return offset ? 0 : -1;
}

/* pandas' Timestamp is a datetime with nanoseconds, which would be lost. */
static int check_nanoseconds(const items *in, Py_ssize_t row) {
  PyObject *value = PyList_GET_ITEM(in->values, row);
  if (PyDateTime_CheckExact(value)) return 0;
  PyObject *rest = PyObject_GetAttrString(value, "nanosecond");
  int status = rest ? PyObject_IsTrue(rest) : 0;
  Py_XDECREF(rest);
  PyErr_Clear();
  return status > 0
             ? refuse_item(in, row, MM_EDATA, "out-of-range", NULL, "nanoseconds of a list are lost: pass an array")
             : 0;
}

static int put_time(const items *in, Py_ssize_t row, int64_t *to) {
  PyObject *value = PyList_GET_ITEM(in->values, row);
  if (in->kind != DELTA) return check_nanoseconds(in, row) < 0 ? -1 : micros_of(value, in->kind == AWARE, to);
  return micros_of_delta(value, to) < 0
             ? refuse_item(in, row, MM_EDATA, "out-of-range", NULL, "it does not fit 64 bits of microseconds")
             : 0;
}

/* The zone that all values name (ZoneInfo.key), else UTC. A number, or -1 and an exception. */
static int zone_of(const items *in) {
  char zone[64] = "";
  PyObject *before = NULL; /* most often the same object */
  for (Py_ssize_t i = 0; i < in->count; i++) {
    PyObject *value = PyList_GET_ITEM(in->values, i);
    if (kind_of(in->ask, value) != AWARE || PyDateTime_DATE_GET_TZINFO(value) == before) continue;
    before = PyDateTime_DATE_GET_TZINFO(value);
    PyObject *key = PyObject_GetAttrString(before, "key");
    const char *name = key && PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : NULL;
    if (!name || strlen(name) >= sizeof zone) name = "UTC";
    bool same = !*zone || strcmp(zone, name) == 0;
    strcpy(zone, same ? name : "UTC"); /* it fits: it was measured */
    Py_XDECREF(key);
    PyErr_Clear();
    if (!same) break;
  }
  mm_error error;
  int number = mm_zone_intern(zone, &error);
  if (number < 0) raise_error(in->ask->state, &error);
  return number < 0 ? -1 : number;
}

/* ---- Filling ---- */

static int put_float(const items *in, Py_ssize_t row, double *to) {
  PyObject *value = PyList_GET_ITEM(in->values, row);
  *to = PyFloat_AsDouble(value);
  if (*to == -1 && PyErr_Occurred()) return -1;
  if (!PyLong_Check(value)) return 0;
  PyObject *back = PyLong_FromDouble(*to);
  int same = back ? PyObject_RichCompareBool(back, value, Py_EQ) : -1;
  Py_XDECREF(back);
  return same == 0  ? refuse_item(in, row, MM_EDATA, "out-of-range", NULL, "a float does not hold the number exactly")
         : same < 0 ? -1
                    : 0;
}

static void put_text(const items *in, Py_ssize_t row, mm_column *column, int32_t *end) {
  PyObject *value = PyList_GET_ITEM(in->values, row);
  Py_ssize_t size = PyBytes_Check(value) ? PyBytes_GET_SIZE(value) : 0;
  const char *bytes =
      PyBytes_Check(value) ? PyBytes_AS_STRING(value) : PyUnicode_AsUTF8AndSize(value, &size); /* kept since */
  if (bytes) memcpy(mm_block_data(column->data_block) + *end, bytes, (size_t)size);
  *end += (int32_t)size;
}

static int put_value(const items *in, Py_ssize_t row, mm_column *column, int32_t *end) {
  PyObject *value = PyList_GET_ITEM(in->values, row);
  uint8_t *data = mm_block_data(column->data_block);
  switch (in->kind) {
  case BOOL:
    if (value == Py_True) ((uint64_t *)data)[row >> 6] |= UINT64_C(1) << (row & 63);
    return 0;
  case INT:
    if (in->large) ((uint64_t *)data)[row] = PyLong_AsUnsignedLongLong(value);
    else ((int64_t *)data)[row] = PyLong_AsLongLong(value);
    if (!PyErr_Occurred()) return 0;
    PyErr_Clear();
    return refuse_item(in, row, MM_EDATA, "out-of-range", NULL, "the numbers fit neither i64 nor u64");
  case FLOAT: return put_float(in, row, (double *)data + row);
  case DATE: ((int32_t *)data)[row] = (int32_t)days_of(value); return 0;
  case TEXT:
  case BYTES: put_text(in, row, column, end); return 0;
  default: return put_time(in, row, (int64_t *)data + row);
  }
}

static int fill_column(const items *in, mm_column *column) {
  uint64_t *valid = column->valid ? (uint64_t *)mm_block_data(column->valid_block) : NULL;
  int32_t *offsets = column->offsets ? (int32_t *)mm_block_data(column->offsets_block) : NULL, end = 0;
  if (column->data_block && !offsets)
    memset(mm_block_data(column->data_block), 0, (size_t)mm_block_size(column->data_block));
  for (Py_ssize_t i = 0; i < in->count; i++) {
    bool null = in->nulls && kind_of(in->ask, PyList_GET_ITEM(in->values, i)) == NONE;
    if ((!null && put_value(in, i, column, &end) < 0) || signals_check(i) < 0) return -1;
    if (null && valid) valid[i >> 6] &= ~(UINT64_C(1) << (i & 63));
    if (offsets) offsets[i + 1] = end;
  }
  return 0;
}

static int type_of(const items *in, mm_type *type) {
  static const uint8_t ids[KINDS] = {MM_NULL,   MM_BOOL, MM_I64,       MM_F64,       MM_UTF8,
                                     MM_BINARY, MM_DATE, MM_TIMESTAMP, MM_TIMESTAMP, MM_DURATION};
  *type = (mm_type){.id = ids[in->kind]};
  if (in->kind == INT && in->large) type->id = MM_U64;
  if (in->kind >= NAIVE) type->unit = MM_MICROS;
  int zone = in->kind == AWARE ? zone_of(in) : 0;
  type->zone = (uint16_t)zone;
  return zone < 0 ? -1 : 0;
}

static int make_column(items *in, bool text_only, chunked_column *to) {
  mm_column column = {0};
  mm_error error;
  if (find_kind(in, text_only) < 0 || type_of(in, &to->type) < 0) return -1;
  to->nullable = in->nulls || to->type.id == MM_NULL;
  if (mm_column_make(&column, to->type, in->count, in->bytes, in->nulls, &error) < 0) {
    raise_error(in->ask->state, &error);
    return -1;
  }
  if (fill_column(in, &column) < 0) {
    mm_column_release(&column);
    return -1;
  }
  to->copied += mmpy_column_bytes(&column);
  return chunked_column_append(to, &column);
}

int chunked_column_from_sequence(const column_request *ask, PyObject *source, bool text_only, chunked_column *to) {
  items in = {.ask = ask};
  in.values = PySequence_List(source);
  if (!in.values) return -1;
  in.count = PyList_GET_SIZE(in.values);
  int status = make_column(&in, text_only, to);
  Py_DECREF(in.values);
  return status < 0 ? -1 : 1;
}
