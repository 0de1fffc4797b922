/* buffer.c - the Buffer type: contiguous values of one type, for consumers of raw memory.
 *
 * DESIGN. A buffer holds a reference to its block. It is writable if the block had no other holder when the buffer was
 * made; while it lives the block has two holders, so that no second buffer is writable.
 *
 * SPDX-License-Identifier: MIT */
#include "export/buffer.h"
#include "deferred_release.h"

typedef struct buffer_object {
  PyObject_HEAD mm_block *block;
  const void *data; /* within the block, or foreign memory that the block keeps */
  mm_type type;
  bool readonly;
  Py_ssize_t length, width; /* values, bytes of one: shape and strides of views */
} buffer_object;

int64_t mmpy_buffer_width(mm_type type) { return type.id == MM_BOOL ? 1 : mm_type_width(type); }

/* As the struct module and numpy name types. */
static const char *format_of(mm_type type) {
  switch (type.id) {
  case MM_BOOL: return "?";
  case MM_I8: return "b";
  case MM_I16: return "h";
  case MM_DATE:
  case MM_I32: return "i";
  case MM_U8: return "B";
  case MM_U16: return "H";
  case MM_U32: return "I";
  case MM_U64: return sizeof(long) == 8 ? "L" : "Q";
  case MM_F32: return "f";
  case MM_F64: return "d";
  default: return sizeof(long) == 8 ? "l" : "q";
  }
}

PyObject *mmpy_buffer_wrap(module_state *state, mm_block *take, const void *data, mm_type type, int64_t length,
                           bool writable) {
  PyTypeObject *class = (PyTypeObject *)(state->buffer_class ? state->buffer_class : state->buffer_type);
  buffer_object *self = (buffer_object *)class->tp_alloc(class, 0);
  if (!self) {
    mm_block_release(take);
    return NULL;
  }
  self->block = take;
  self->data = data;
  self->type = type;
  self->readonly = !writable;
  self->length = (Py_ssize_t)length;
  self->width = (Py_ssize_t)mmpy_buffer_width(type);
  live_count(LIVE_buffers, 1);
  return (PyObject *)self;
}

static void buffer_dealloc(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  foreign_owner *let_go = NULL;
  deferred_release_collect(&let_go);
  mm_block_release(((buffer_object *)object)->block);
  deferred_release_run(let_go);
  live_count(LIVE_buffers, -1);
  type->tp_free(object);
  Py_DECREF(type);
  deferred_release_drain();
}

/* ---- The buffer protocol ---- */

static int buffer_get(PyObject *object, Py_buffer *view, int flags) {
  static char nothing[64]; /* no null pointers for empty buffers */
  buffer_object *self = (buffer_object *)object;
  view->obj = NULL;
  if ((flags & PyBUF_WRITABLE) && self->readonly) {
    PyErr_SetString(PyExc_BufferError, "the memory is shared or not ours: it is read-only");
    return -1;
  }
  view->buf = self->data ? (void *)(uintptr_t)self->data : nothing;
  view->len = self->length * self->width;
  view->itemsize = self->width;
  view->readonly = self->readonly;
  view->ndim = 1;
  view->format = flags & PyBUF_FORMAT ? (char *)(uintptr_t)format_of(self->type) : NULL;
  view->shape = (flags & PyBUF_ND) == PyBUF_ND ? &self->length : NULL;
  view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &self->width : NULL;
  view->suboffsets = NULL;
  view->internal = NULL;
  Py_INCREF(object);
  view->obj = object;
  return 0;
}

/* ---- Attributes ---- */

static PyObject *buffer_type(PyObject *object, void *closure) {
  (void)closure;
  char text[128];
  return PyUnicode_FromString(mm_type_name(((buffer_object *)object)->type, text, sizeof text));
}

static PyObject *buffer_nbytes(PyObject *object, void *closure) {
  (void)closure;
  const buffer_object *self = (buffer_object *)object;
  return PyLong_FromSsize_t(self->length * self->width);
}

static PyObject *buffer_readonly(PyObject *object, void *closure) {
  (void)closure;
  return PyBool_FromLong(((buffer_object *)object)->readonly);
}

static PyObject *buffer_address(PyObject *object, void *closure) {
  (void)closure;
  return PyLong_FromVoidPtr((void *)(uintptr_t)((buffer_object *)object)->data);
}

static Py_ssize_t buffer_length(PyObject *object) { return ((buffer_object *)object)->length; }

PyObject *mmpy_buffer_dlpack(PyObject *object, const dlpack_request *request) {
  const buffer_object *self = (buffer_object *)object;
  dlpack_values values = {self->block, self->data, self->type, self->readonly, self->length, self->width};
  return dlpack_capsule(&values, request);
}

static PyObject *buffer_dlpack(PyObject *object, PyObject *arguments, PyObject *keywords) {
  dlpack_request request;
  if (dlpack_parse(arguments, keywords, &request) < 0) return NULL;
  return mmpy_buffer_dlpack(object, &request);
}

#if PY_VERSION_HEX < 0x030c0000 /* later ones make it of the buffer protocol */
static PyObject *buffer_view(PyObject *object, PyObject *flags) {
  long wanted = PyLong_AsLong(flags);
  if (wanted == -1 && PyErr_Occurred()) return NULL;
  if (!(wanted & PyBUF_WRITABLE) || !((buffer_object *)object)->readonly) return PyMemoryView_FromObject(object);
  return PyErr_Format(PyExc_BufferError, "the memory is shared or not ours: it is read-only");
}
#endif

static PyGetSetDef attributes[] = {{"type", buffer_type, NULL, "Type of the values: \"i64\", \"timestamp(us)\".", NULL},
                                   {"nbytes", buffer_nbytes, NULL, "Bytes of all values.", NULL},
                                   {"readonly", buffer_readonly, NULL, "Whether the memory must not be written.", NULL},
                                   {"address", buffer_address, NULL, "Where the first value lies.", NULL},
                                   {0}};

static PyMethodDef methods[] = {
#if PY_VERSION_HEX < 0x030c0000
    {"__buffer__", buffer_view, METH_O, "__buffer__($self, flags, /)\n--\n\nA memoryview of the values."},
#endif
    {"__dlpack__", MMPY_METHOD(buffer_dlpack), METH_VARARGS | METH_KEYWORDS,
     "__dlpack__($self, /, *, stream=None, max_version=None, dl_device=None, copy=None)\n--\n\nThe values as a DLPack "
     "capsule."},
    {"__dlpack_device__", dlpack_device, METH_NOARGS, "__dlpack_device__($self, /)\n--\n\nMain memory: (1, 0)."},
    {0}};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Values of a column as bytes: buffer protocol, DLPack. Owns its memory; writable if not shared."},
    {Py_tp_dealloc, (void *)(uintptr_t)buffer_dealloc},
    {Py_tp_getset, attributes},
    {Py_tp_methods, methods},
    {Py_sq_length, (void *)(uintptr_t)buffer_length},
    {Py_bf_getbuffer, (void *)(uintptr_t)buffer_get},
    {0}};

static PyType_Spec spec = {.name = "moonmill._core.Buffer",
                           .basicsize = sizeof(buffer_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION
                                    | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

int mmpy_buffer_register(PyObject *module, module_state *state) {
  return mmpy_type_register(module, &spec, &state->buffer_type);
}
