/* arrow.c - Arrow data of other producers: capsules are consumed, batches shared without copying.
 *
 * DESIGN. A foreign array is moved into an `arrival`, and what the core imports is a struct array of ours around it,
 * whose release only counts: the producer's own release runs later, under the GIL (owner.c). So the array may also be
 * imported in parts, which is how text of more than 2 GiB in one chunk is split.
 *
 * SPDX-License-Identifier: MIT */
#include "column_bytes.h"
#include "deferred_release.h"
#include "errors.h"
#include "import/chunked_column.h"
#include "arrow_abi.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Arrays ---- */

typedef struct arrival {
  foreign_owner owner;
  atomic_int parts;
  struct ArrowArray array; /* the producer's */
  struct ArrowArray *child;
  const void *no_validity[1];
} arrival;

static void release_arrival(foreign_owner *owner) {
  arrival *a = (arrival *)owner;
  a->array.release(&a->array);
  free(a);
  live_count(LIVE_owners, -1);
}

static void drop_arrival(arrival *a) {
  if (atomic_fetch_sub(&a->parts, 1) == 1) deferred_release_push(a);
}

static void release_part(struct ArrowArray *part) {
  part->release = NULL;
  drop_arrival(part->private_data);
}

/* Rows of an arrival as a struct array: of the struct that it is, or around it as the only column. */
static struct ArrowArray part_of(arrival *a, bool plain, int64_t start, int64_t length) {
  struct ArrowArray part = a->array;
  if (plain)
    part = (struct ArrowArray){.n_buffers = 1, .buffers = a->no_validity, .n_children = 1, .children = &a->child};
  else if (part.null_count != 0) part.null_count = -1;
  part.offset += start;
  part.length = length;
  part.release = release_part;
  part.private_data = a;
  atomic_fetch_add(&a->parts, 1);
  return part;
}

/* What was copied has a block of the core; foreign blocks show no bytes of their own. */
static void count_bytes(const mm_batch *batch, int64_t *copied, int64_t *shared) {
  for (int32_t c = 0; c < batch->count; c++) {
    column_bytes bytes = mmpy_column_measure(&batch->columns[c]);
    for (int i = 0; i < COLUMN_PARTS; i++)
      *(bytes.block[i] && !mm_block_data(bytes.block[i]) ? shared : copied) += bytes.size[i];
  }
}

typedef struct landing {
  module_state *state;
  const struct ArrowSchema *schema; /* of a struct */
  bool plain;
  mm_table *table;
  int64_t *copied, *shared;
  mm_error error;
} landing;

static void raise_landing(landing *to) {
  char name[sizeof to->error.field];
  memcpy(name, to->error.field, sizeof name);
  if (*name) raise_column(to->state, &to->error, name);
  else raise_error(to->state, &to->error);
}

/* Halves, and halves of them, where a batch may not hold as much text. */
static int take_rows(landing *to, arrival *a, int64_t start, int64_t length) {
  mm_batch batch = {0};
  struct ArrowArray part = part_of(a, to->plain, start, length);
  int status = mm_arrow_import_batch(to->schema, &part, &batch, &to->error);
  if (status == MM_ELIMIT && length > 1) {
    mm_batch_free(&batch);
    status = take_rows(to, a, start, length / 2);
    return status < 0 ? status : take_rows(to, a, start + length / 2, length - length / 2);
  }
  if (status >= 0) count_bytes(&batch, to->copied, to->shared);
  if (status >= 0) status = mm_table_append(to->table, &batch, &to->error);
  else mm_batch_free(&batch);
  return status;
}

/* Takes the array, also on failure. */
static int take_array(landing *to, struct ArrowArray *array) {
  arrival *a = calloc(1, sizeof *a);
  if (!a) {
    array->release(array);
    PyErr_NoMemory();
    return -1;
  }
  *a = (arrival){.owner = {.release = release_arrival}, .array = *array, .child = &a->array};
  array->release = NULL;
  atomic_init(&a->parts, 1);
  live_count(LIVE_owners, 1);
  int status;
  Py_BEGIN_ALLOW_THREADS
  status = take_rows(to, a, 0, a->array.length);
  drop_arrival(a);
  Py_END_ALLOW_THREADS
  if (status >= 0) return 0;
  deferred_release_drain();
  raise_landing(to);
  return -1;
}

/* ---- Schemas ---- */

static void keep_nothing(struct ArrowSchema *schema) { schema->release = NULL; }

/* A struct schema around a column's, under another name. */
typedef struct wrapping {
  struct ArrowSchema schema, child, *children;
} wrapping;

static void wrap_column(wrapping *w, const struct ArrowSchema *column, const char *name) {
  w->child = *column;
  w->child.name = name;
  w->child.release = keep_nothing;
  w->children = &w->child;
  w->schema = (struct ArrowSchema){
      .format = "+s", .name = "", .n_children = 1, .children = &w->children, .release = keep_nothing};
}

/* Read the schema into the table's. `name`: the data is one column, of that name; NULL: a struct's columns, or column
 * `value`. */
static int land_schema(landing *to, const struct ArrowSchema *schema, const char *name, wrapping *w) {
  if (!schema->release || !schema->format) {
    raise_new(to->state, MM_EDATA, "bad-arrow", name, NULL, "the Arrow schema is released: capsules are consumed once");
    return -1;
  }
  to->plain = name || strcmp(schema->format, "+s") != 0;
  if (to->plain) wrap_column(w, schema, name ? name : "value");
  to->schema = to->plain ? &w->schema : schema;
  if (mm_arrow_import_schema(to->schema, &to->table->schema, &to->error) >= 0) return 0;
  if (name) PyOS_snprintf(to->error.field, sizeof to->error.field, "%s", name);
  raise_landing(to);
  return -1;
}

/* ---- Streams ---- */

static int code_of(int errnum) {
  return errnum == ENOMEM ? MM_ENOMEM : errnum == EIO ? MM_EIO : errnum == ECANCELED ? MM_ECANCEL : MM_EDATA;
}

static int fail_stream(landing *to, struct ArrowArrayStream *stream, int errnum) {
  const char *text = stream->get_last_error ? stream->get_last_error(stream) : NULL;
  if (!PyErr_Occurred())
    raise_new(to->state, code_of(errnum), "arrow-stream", NULL, NULL, "the Arrow stream failed: %.400s",
              text ? text : strerror(errnum));
  return -1;
}

/* What a producer runs on release must not meet an exception that is on its way. */
static void release_schema(struct ArrowSchema *schema) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  if (schema->release) schema->release(schema);
  PyErr_Restore(type, value, traceback);
}

static void release_stream(struct ArrowArrayStream *stream) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  Py_BEGIN_ALLOW_THREADS
  stream->release(stream);
  Py_END_ALLOW_THREADS
  PyErr_Restore(type, value, traceback);
}

/* The producer may need the GIL, in this thread or in others. */
static int next_array(struct ArrowArrayStream *stream, struct ArrowArray *array) {
  int errnum;
  *array = (struct ArrowArray){0};
  Py_BEGIN_ALLOW_THREADS
  errnum = stream->get_next(stream, array);
  Py_END_ALLOW_THREADS
  return errnum;
}

static int take_batches(landing *to, struct ArrowArrayStream *stream) {
  struct ArrowArray array;
  for (;;) {
    int errnum = next_array(stream, &array);
    if (errnum) return fail_stream(to, stream, errnum);
    if (!array.release) return 0;
    if (take_array(to, &array) < 0 || PyErr_CheckSignals() < 0) return -1;
  }
}

static int take_stream(landing *to, struct ArrowArrayStream *stream, const char *name) {
  struct ArrowSchema schema = {0};
  wrapping w;
  int errnum;
  Py_BEGIN_ALLOW_THREADS
  errnum = stream->get_schema(stream, &schema);
  Py_END_ALLOW_THREADS
  if (errnum) return fail_stream(to, stream, errnum);
  int status = land_schema(to, &schema, name, &w);
  if (status >= 0) status = take_batches(to, stream);
  release_schema(&schema);
  return status;
}

/* ---- Capsules ---- */

static void *open_capsule(module_state *state, PyObject *capsule, const char *name) {
  if (PyCapsule_IsValid(capsule, name)) return PyCapsule_GetPointer(capsule, name);
  return raise_new(state, MM_EDATA, "bad-arrow", NULL, NULL, "expected a capsule named \"%s\", found %.100s", name,
                   PyCapsule_CheckExact(capsule) ? "one of another name" : Py_TYPE(capsule)->tp_name);
}

/* Capsules are emptied, which two threads may be about to do. */
static int from_stream_capsule(landing *to, PyObject *capsule, const char *name) {
  struct ArrowArrayStream *given = open_capsule(to->state, capsule, "arrow_array_stream"), stream;
  if (!given) return -1;
  Py_BEGIN_CRITICAL_SECTION(capsule);
  stream = *given;
  given->release = NULL;
  Py_END_CRITICAL_SECTION();
  if (!stream.release) {
    raise_new(to->state, MM_EDATA, "bad-arrow", name, NULL, "the Arrow stream is released: capsules are consumed once");
    return -1;
  }
  int status = take_stream(to, &stream, name);
  release_stream(&stream);
  return status;
}

static int from_array_capsules(landing *to, PyObject *both, const char *name) {
  PyObject *first, *second;
  wrapping w;
  if (!PyTuple_Check(both) || !PyArg_ParseTuple(both, "OO:__arrow_c_array__", &first, &second)) {
    PyErr_SetString(PyExc_TypeError, "__arrow_c_array__ must return two capsules");
    return -1;
  }
  const struct ArrowSchema *schema = open_capsule(to->state, first, "arrow_schema");
  struct ArrowArray *given = schema ? open_capsule(to->state, second, "arrow_array") : NULL, array;
  if (!given) return -1;
  Py_BEGIN_CRITICAL_SECTION(second);
  array = *given;
  given->release = NULL;
  Py_END_CRITICAL_SECTION();
  if (!array.release) {
    raise_new(to->state, MM_EDATA, "bad-arrow", name, NULL, "the Arrow array is released: capsules are consumed once");
    return -1;
  }
  if (land_schema(to, schema, name, &w) == 0) return take_array(to, &array);
  Py_BEGIN_CRITICAL_SECTION(second);
  *given = array; /* the capsule releases it */
  Py_END_CRITICAL_SECTION();
  return -1;
}

/* A stream keeps chunks apart, so that it comes first. */
static int land_source(landing *to, PyObject *source, const char *name) {
  PyObject *method = NULL;
  if (PyType_Check(source)) return 0;
  int found = attribute_find(source, "__arrow_c_stream__", &method);
  bool stream = found > 0;
  if (found == 0) found = attribute_find(source, "__arrow_c_array__", &method);
  if (found <= 0) return found;
  PyObject *given = PyObject_CallNoArgs(method);
  int status = !given ? -1 : stream ? from_stream_capsule(to, given, name) : from_array_capsules(to, given, name);
  Py_XDECREF(given);
  Py_DECREF(method);
  deferred_release_drain();
  return status < 0 ? -1 : 1;
}

int arrow_take(module_state *state, PyObject *source, mm_table *to, int64_t *copied, int64_t *shared) {
  landing fresh = {.state = state, .table = to, .copied = copied, .shared = shared};
  return land_source(&fresh, source, NULL);
}

int chunked_column_from_arrow(const column_request *ask, PyObject *source, chunked_column *to) {
  mm_table table = {0};
  landing into = {.state = ask->state, .table = &table, .copied = &to->copied, .shared = &to->shared};
  int status = land_source(&into, source, ask->name);
  if (status == 1) {
    to->type = table.schema.fields[0].type;
    to->nullable = table.schema.fields[0].nullable;
  }
  for (int64_t i = 0; i < table.count && status == 1; i++)
    if (chunked_column_append(to, &table.batches[i].columns[0]) < 0) status = -1;
  mm_table_free(&table);
  return status;
}
