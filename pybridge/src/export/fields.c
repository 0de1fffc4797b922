/* fields.c - the columns of a schema as lists of Python: their names, types, nullables.
 * SPDX-License-Identifier: MIT */
#include "export/fields.h"
#include <string.h>

static PyObject *describe_field(const mm_field *field, int what) {
  char text[128];
  if (what == FIELD_TYPES) return PyUnicode_FromString(mm_type_name(field->type, text, sizeof text));
  if (what == FIELD_NULLABLES) return PyBool_FromLong(field->nullable);
  return PyUnicode_DecodeUTF8(field->name, (Py_ssize_t)strlen(field->name), "replace");
}

PyObject *fields_list(const mm_schema *schema, int what) {
  PyObject *list = PyList_New(schema->count);
  for (int32_t i = 0; i < schema->count && list; i++) {
    PyObject *item = describe_field(&schema->fields[i], what);
    if (item) PyList_SET_ITEM(list, i, item);
    else Py_CLEAR(list);
  }
  return list;
}
