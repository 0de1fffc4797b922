/* requested_schema.c - what requested_schema asks for, as far as it is given: text and binary with 64-bit offsets.
 *
 * DESIGN. The protocol lets a producer give what it has; a schema of other columns is refused. An array with long
 * offsets is one of ours around the array that the core exports, which it releases with itself, without the GIL.
 *
 * SPDX-License-Identifier: MIT */
#include "export/requested_schema.h"
#include "errors.h"
#include "arrow_abi.h"
#include <stdlib.h>
#include <string.h>

/* ---- Asking ---- */

static bool wants_long(const mm_field *field, const struct ArrowSchema *asked) {
  const char *format = asked->format ? asked->format : "";
  return (field->type.id == MM_UTF8 && strcmp(format, "U") == 0)
         || (field->type.id == MM_BINARY && strcmp(format, "Z") == 0);
}

static int refuse_schema(module_state *state, const char *wanted) {
  raise_new(state, MM_EUSAGE, "other-schema", NULL, "ask for the columns that there are, in their order",
            "the requested schema has other columns: expected %s", wanted);
  return -1;
}

/* Which columns of a struct are asked for with long offsets. */
static int compare_schemas(module_state *state, const mm_schema *schema, const struct ArrowSchema *asked,
                           bool *is_long) {
  char count[40];
  PyOS_snprintf(count, sizeof count, "a struct of %d", (int)schema->count);
  if (asked->n_children != schema->count || !asked->format || strcmp(asked->format, "+s") != 0)
    return refuse_schema(state, count);
  for (int32_t i = 0; i < schema->count; i++) {
    const struct ArrowSchema *child = asked->children[i];
    if (!child || strcmp(child->name ? child->name : "", schema->fields[i].name) != 0)
      return refuse_schema(state, schema->fields[i].name);
    is_long[i] = wants_long(&schema->fields[i], child);
  }
  return 0;
}

int requested_schema_parse(module_state *state, const mm_schema *schema, bool plain, PyObject *arguments,
                           PyObject *keywords, bool **is_long) {
  static char *names[] = {"requested_schema", NULL};
  PyObject *requested = Py_None;
  *is_long = NULL;
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|O", names, &requested)) return -1;
  if (requested == Py_None) return 0;
  const struct ArrowSchema *asked =
      PyCapsule_IsValid(requested, "arrow_schema") ? PyCapsule_GetPointer(requested, "arrow_schema") : NULL;
  if (!asked || !asked->release) {
    PyErr_SetString(PyExc_TypeError, "requested_schema must be a capsule named \"arrow_schema\", or None");
    return -1;
  }
  bool *wanted = calloc((size_t)schema->count + 1, sizeof *wanted);
  int status = wanted ? 0 : -1;
  if (!wanted) PyErr_NoMemory();
  else if (plain) wanted[0] = wants_long(&schema->fields[0], asked);
  else status = compare_schemas(state, schema, asked, wanted);
  if (status == 0) *is_long = wanted;
  else free(wanted);
  return status;
}

/* ---- Giving ---- */

/* The core's node keeps the format that it has to free. */
void requested_schema_apply(struct ArrowSchema *schema, int64_t count, bool plain, const bool *is_long) {
  for (int64_t i = 0; i < count && is_long; i++) {
    struct ArrowSchema *field = plain ? schema : schema->children[i];
    if (is_long[i]) field->format = *field->format == 'u' ? "U" : "Z";
  }
}

typedef struct wrapped {
  struct ArrowArray inner;
  const void *buffers[3];
  int64_t offsets[];
} wrapped;

static void release_wrapped(struct ArrowArray *array) {
  wrapped *w = array->private_data;
  w->inner.release(&w->inner);
  free(w);
  array->release = NULL;
}

/* The array with long offsets, in place. */
static int lengthen_offsets(struct ArrowArray *array) {
  int64_t count = array->offset + array->length + 1;
  wrapped *w = malloc(sizeof *w + (size_t)count * sizeof *w->offsets);
  if (!w) return -1;
  const int32_t *offsets = array->buffers[1];
  for (int64_t i = 0; i < count; i++) w->offsets[i] = offsets ? offsets[i] : 0;
  w->inner = *array;
  w->buffers[0] = array->buffers[0];
  w->buffers[1] = w->offsets;
  w->buffers[2] = array->buffers[2];
  array->buffers = w->buffers;
  array->private_data = w;
  array->release = release_wrapped;
  return 0;
}

int requested_schema_lengthen(struct ArrowArray *array, int64_t count, bool plain, const bool *is_long,
                              mm_error *error) {
  for (int64_t i = 0; i < count && is_long; i++)
    if (is_long[i] && lengthen_offsets(plain ? array : array->children[i]) < 0) {
      array->release(array);
      *error = (mm_error){.code = MM_ENOMEM, .row = -1, .stage = -1, .place = -1, .message = "out of memory"};
      return MM_ENOMEM;
    }
  return 0;
}
