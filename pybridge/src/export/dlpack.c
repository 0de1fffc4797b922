/* dlpack.c - contiguous values as DLPack tensors of one dimension, legacy and versioned. A deleter never needs the
 * GIL.
 * SPDX-License-Identifier: MIT */
#include "export/dlpack.h"
#include "dlpack_abi.h"
#include <stdlib.h>
#include <string.h>

/* What a tensor needs as long as it lives. The consumer sees a pointer to `legacy` or `versioned`. */
typedef struct holder {
  union {
    dlpack_legacy legacy;
    dlpack_versioned versioned;
  } managed;
  mm_block *block;
  int64_t shape, stride;
} holder;

static void drop_holder(holder *h) {
  mm_block_release(h->block);
  free(h);
}

static void delete_legacy(dlpack_legacy *self) { drop_holder(self->context); }
static void delete_versioned(dlpack_versioned *self) { drop_holder(self->context); }

/* A capsule that was consumed has another name by now. */
static void forget_tensor(PyObject *capsule) {
  const char *name = PyCapsule_GetName(capsule);
  if (!name || (strcmp(name, "dltensor") != 0 && strcmp(name, "dltensor_versioned") != 0)) return;
  void *managed = PyCapsule_GetPointer(capsule, name);
  if (strcmp(name, "dltensor") == 0) delete_legacy(managed);
  else delete_versioned(managed);
}

static int code_of(mm_type type) {
  if (type.id == MM_BOOL) return DLPACK_BOOL;
  if (type.id >= MM_I8 && type.id <= MM_I64) return DLPACK_INT;
  if (type.id >= MM_U8 && type.id <= MM_U64) return DLPACK_UINT;
  return type.id == MM_F32 || type.id == MM_F64 ? DLPACK_FLOAT : -1;
}

static int parse_version(PyObject *version, bool *versioned) {
  *versioned = false;
  if (version == Py_None) return 0;
  int major, minor;
  if (!PyTuple_Check(version) || !PyArg_ParseTuple(version, "ii:max_version", &major, &minor)) {
    PyErr_SetString(PyExc_TypeError, "max_version must be a tuple of two numbers, or None");
    return -1;
  }
  *versioned = major >= DLPACK_MAJOR;
  return 0;
}

static int parse_device(PyObject *device) {
  if (device == Py_None) return 0;
  int type, id;
  if (!PyTuple_Check(device) || !PyArg_ParseTuple(device, "ii:dl_device", &type, &id)) {
    PyErr_SetString(PyExc_TypeError, "dl_device must be a tuple of two numbers, or None");
    return -1;
  }
  if (type == DLPACK_CPU && id == 0) return 0;
  PyErr_SetString(PyExc_BufferError, "the values are in main memory: only device (1, 0) can be given");
  return -1;
}

int dlpack_parse(PyObject *arguments, PyObject *keywords, dlpack_request *request) {
  static char *names[] = {"stream", "max_version", "dl_device", "copy", NULL};
  PyObject *stream = Py_None, *version = Py_None, *device = Py_None, *copy = Py_None;
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|$OOOO:__dlpack__", names, &stream, &version, &device, &copy))
    return -1;
  if (stream != Py_None) {
    PyErr_SetString(PyExc_BufferError, "main memory has no streams: stream must be None");
    return -1;
  }
  if (parse_version(version, &request->versioned) < 0 || parse_device(device) < 0) return -1;
  int wanted = copy == Py_None ? 0 : PyObject_IsTrue(copy);
  if (wanted < 0) return -1;
  request->copy = wanted;
  request->no_copy = copy != Py_None && !wanted;
  return 0;
}

/* The block that the tensor shows: the values' own, or a copy of it. */
static int fill_block(holder *h, const dlpack_values *values, bool copy) {
  if (!copy) {
    mm_block_retain(values->block);
    h->block = values->block;
    return 0;
  }
  int64_t size = values->length * values->width;
  h->block = mm_block_new(size, NULL);
  if (!h->block) return -1;
  Py_BEGIN_ALLOW_THREADS
  if (size > 0) memcpy(mm_block_data(h->block), values->data, (size_t)size);
  Py_END_ALLOW_THREADS
  return 0;
}

static PyObject *capsule_of(holder *h, const dlpack_tensor *tensor, bool versioned, uint64_t flags) {
  if (!versioned) {
    h->managed.legacy = (dlpack_legacy){*tensor, h, delete_legacy};
    return PyCapsule_New(&h->managed.legacy, "dltensor", forget_tensor);
  }
  h->managed.versioned = (dlpack_versioned){{DLPACK_MAJOR, DLPACK_MINOR}, h, delete_versioned, flags, *tensor};
  return PyCapsule_New(&h->managed.versioned, "dltensor_versioned", forget_tensor);
}

PyObject *dlpack_capsule(const dlpack_values *values, const dlpack_request *request) {
  int code = code_of(values->type);
  bool readonly = values->readonly && !request->copy;
  char text[128];
  if (code < 0)
    return PyErr_Format(PyExc_BufferError, "DLPack has no type for %s", mm_type_name(values->type, text, sizeof text));
  if (readonly && !request->versioned)
    return PyErr_Format(PyExc_BufferError,
                        "the memory is read-only, which DLPack can say from version 1.0 on: pass max_version=(1, 0)");
  holder *h = calloc(1, sizeof *h);
  if (!h) return PyErr_NoMemory();
  if (fill_block(h, values, request->copy) < 0) {
    free(h);
    return PyErr_NoMemory();
  }
  h->shape = values->length;
  h->stride = 1;
  dlpack_tensor tensor = {.data = request->copy ? mm_block_data(h->block) : (void *)(uintptr_t)values->data,
                          .device = {DLPACK_CPU, 0},
                          .ndim = 1,
                          .dtype = {(uint8_t)code, (uint8_t)(values->width * 8), 1},
                          .shape = &h->shape,
                          .strides = &h->stride};
  if (values->length == 0) tensor.data = NULL;
  uint64_t flags = (readonly ? DLPACK_READ_ONLY : 0) | (request->copy ? DLPACK_IS_COPIED : 0);
  PyObject *capsule = capsule_of(h, &tensor, request->versioned, flags);
  if (!capsule) drop_holder(h);
  return capsule;
}

PyObject *dlpack_device(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  return Py_BuildValue("(ii)", DLPACK_CPU, 0);
}
