/* text.c - texts of Python as UTF-8, or why they have none.
 * SPDX-License-Identifier: MIT */
#include "text.h"
#include "errors.h"

/* Python does not validate code points; numpy copies those of its arrays unchecked. */
static bool is_beyond_unicode(PyObject *text) {
  if (PyUnicode_KIND(text) != PyUnicode_4BYTE_KIND) return false;
  const Py_UCS4 *points = PyUnicode_4BYTE_DATA(text), *end = points + PyUnicode_GET_LENGTH(text);
  Py_UCS4 wrong = 0; /* without a branch for each */
  for (; points < end; points++) wrong |= *points > 0x10ffff;
  return wrong;
}

const char *mmpy_utf8_find(PyObject *text, Py_ssize_t *size, const char **problem) {
  *problem = "has a code point beyond U+10FFFF, which is not valid UTF-8";
  if (PyUnicode_Check(text) && is_beyond_unicode(text)) return NULL;
  const char *bytes = PyUnicode_AsUTF8AndSize(text, size);
  *problem = NULL;
  if (bytes || !PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return bytes;
  PyErr_Clear();
  *problem = "has half a surrogate pair, which is not valid UTF-8";
  return NULL;
}

const char *mmpy_utf8_of(module_state *state, PyObject *text, Py_ssize_t *size, const char *what) {
  const char *problem, *bytes = mmpy_utf8_find(text, size, &problem);
  if (bytes || !problem) return bytes;
  PyObject *shown = PyObject_ASCII(text);
  if (!shown) return NULL;
  raise_new(state, MM_EUSAGE, "bad-utf8", NULL, NULL, "%s %s: %.200s", what, problem, PyUnicode_AsUTF8(shown));
  Py_DECREF(shown);
  return NULL;
}

int mmpy_text_read(module_state *state, PyObject *text, const char *what, mm_text *to) {
  Py_ssize_t size = 0;
  to->bytes = mmpy_utf8_of(state, text, &size, what);
  to->size = size;
  return to->bytes ? 0 : -1;
}
