/* capsule.c - tables and columns as PyCapsules of the Arrow C interfaces.
 *
 * DESIGN. Whoever consumes a capsule releases from threads of its own: all that is exported holds blocks of the core
 * alone, and no callback needs the GIL. A capsule is made around a struct of zero bytes, which is then filled: it frees
 * what it has.
 *
 * SPDX-License-Identifier: MIT */
#include "export/capsule.h"
#include "errors.h"
#include "export/requested_schema.h"
#include "arrow_abi.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void forget_schema(PyObject *capsule) {
  struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
  if (schema->release) schema->release(schema);
  free(schema);
}

static void forget_array(PyObject *capsule) {
  struct ArrowArray *array = PyCapsule_GetPointer(capsule, "arrow_array");
  if (array->release) array->release(array);
  free(array);
}

static void forget_stream(PyObject *capsule) {
  struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
  if (stream->release) stream->release(stream);
  free(stream);
}

/* A capsule around `size` zero bytes. */
static PyObject *capsule_new(size_t size, const char *name, PyCapsule_Destructor forget) {
  void *memory = calloc(1, size);
  PyObject *capsule = memory ? PyCapsule_New(memory, name, forget) : PyErr_NoMemory();
  if (!capsule) free(memory);
  return capsule;
}

static void *content_of(PyObject *capsule) { return PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule)); }

/* ---- Schemas and arrays ---- */

/* The first child stands alone: a released parent leaves moved children be. */
static void keep_child_schema(struct ArrowSchema *schema) {
  struct ArrowSchema child = *schema->children[0];
  schema->children[0]->release = NULL;
  schema->release(schema);
  *schema = child;
}

static void keep_child_array(struct ArrowArray *array) {
  struct ArrowArray child = *array->children[0];
  array->children[0]->release = NULL;
  array->release(array);
  *array = child;
}

static int export_schema(const mm_schema *schema, bool plain, const bool *is_long, struct ArrowSchema *to,
                         mm_error *error) {
  int status = mm_arrow_export_schema(schema, to, error);
  if (status < 0) return status;
  if (plain) keep_child_schema(to);
  requested_schema_apply(to, schema->count, plain, is_long);
  return 0;
}

static int export_batch(const mm_schema *schema, const mm_batch *batch, bool plain, const bool *is_long,
                        struct ArrowArray *to, mm_error *error) {
  int status = mm_arrow_export_batch(schema, batch, to, error);
  if (status < 0) return status;
  if (plain) keep_child_array(to);
  return requested_schema_lengthen(to, schema->count, plain, is_long, error);
}

static PyObject *schema_capsule(module_state *state, const mm_schema *schema, bool plain, const bool *is_long) {
  mm_error error;
  PyObject *capsule = capsule_new(sizeof(struct ArrowSchema), "arrow_schema", forget_schema);
  if (!capsule || export_schema(schema, plain, is_long, content_of(capsule), &error) >= 0) return capsule;
  Py_DECREF(capsule);
  return raise_error(state, &error);
}

PyObject *capsule_of_schema(module_state *state, const mm_schema *schema, bool plain) {
  return schema_capsule(state, schema, plain, NULL);
}

PyObject *capsules_of_batch(module_state *state, const mm_schema *schema, const mm_batch *batch, bool plain,
                            const bool *is_long) {
  mm_error error;
  PyObject *first = schema_capsule(state, schema, plain, is_long);
  PyObject *second = first ? capsule_new(sizeof(struct ArrowArray), "arrow_array", forget_array) : NULL;
  PyObject *both = NULL;
  if (second && export_batch(schema, batch, plain, is_long, content_of(second), &error) < 0) raise_error(state, &error);
  else if (second) both = PyTuple_Pack(2, first, second);
  Py_XDECREF(first);
  Py_XDECREF(second);
  return both;
}

/* ---- Streams ---- */

typedef struct flow {
  mm_table table; /* shares the blocks */
  int64_t next;
  bool plain;
  bool *is_long; /* columns that are asked for so, or NULL */
  mm_error error;
} flow;

static int errno_of(int status) { return status == MM_ENOMEM ? ENOMEM : status == MM_EIO ? EIO : EINVAL; }

static int flow_schema(struct ArrowArrayStream *stream, struct ArrowSchema *to) {
  flow *f = stream->private_data;
  int status = export_schema(&f->table.schema, f->plain, f->is_long, to, &f->error);
  return status < 0 ? errno_of(status) : 0;
}

static int flow_next(struct ArrowArrayStream *stream, struct ArrowArray *to) {
  flow *f = stream->private_data;
  *to = (struct ArrowArray){0};
  if (f->next == f->table.count) return 0;
  int status = export_batch(&f->table.schema, &f->table.batches[f->next], f->plain, f->is_long, to, &f->error);
  if (status < 0) return errno_of(status);
  f->next++;
  return 0;
}

static const char *flow_error(struct ArrowArrayStream *stream) {
  flow *f = stream->private_data;
  return *f->error.message ? f->error.message : NULL;
}

static void flow_release(struct ArrowArrayStream *stream) {
  flow *f = stream->private_data;
  mm_table_free(&f->table);
  free(f->is_long);
  free(f);
  stream->release = NULL;
}

static int share_table(mm_table *to, const mm_table *from, mm_error *error) {
  int status = mm_schema_copy(&to->schema, &from->schema, error);
  for (int64_t i = 0; i < from->count && status >= 0; i++) {
    mm_batch batch = {0};
    status = mm_batch_copy(&batch, &from->batches[i], error);
    if (status >= 0) status = mm_table_append(to, &batch, error);
    else mm_batch_free(&batch);
  }
  return status;
}

PyObject *capsule_of_table(module_state *state, const mm_table *table, bool plain, bool *is_long) {
  mm_error error;
  PyObject *capsule = capsule_new(sizeof(struct ArrowArrayStream), "arrow_array_stream", forget_stream);
  flow *f = capsule ? calloc(1, sizeof *f) : NULL;
  if (!f) {
    free(is_long);
    if (capsule) PyErr_NoMemory();
    Py_XDECREF(capsule);
    return NULL;
  }
  f->plain = plain;
  f->is_long = is_long;
  struct ArrowArrayStream *stream = content_of(capsule);
  *stream = (struct ArrowArrayStream){flow_schema, flow_next, flow_error, flow_release, f};
  if (share_table(&f->table, table, &error) >= 0) return capsule;
  Py_DECREF(capsule);
  return raise_error(state, &error);
}
