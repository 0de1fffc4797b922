/* tensor.c - tensors of DLPack on their way in: an object with the buffer protocol over one, which gives the tensor
 * back when it goes.
 *
 * DESIGN. A tensor becomes typed memory as any other, so that strides, sharing and copying are the same. The producer's
 * deleter is called once, under the GIL, by the last view of the memory.
 *
 * SPDX-License-Identifier: MIT */
#include "import/tensor.h"
#include "dlpack_abi.h"
#include "errors.h"

typedef struct tensor_object {
  PyObject_HEAD dlpack_legacy *legacy; /* of the two, the one that was given */
  dlpack_versioned *versioned;
  Py_ssize_t *shape, *strides; /* strides in bytes */
  char *data;
  char format[4];
  Py_ssize_t itemsize, length;
  int ndim;
  bool readonly;
} tensor_object;

static int refuse_tensor(module_state *state, const char *name, const char *id, const char *hint, const char *format,
                         int a, int b) {
  char why[200];
  PyOS_snprintf(why, sizeof why, format, a, b);
  raise_new(state, MM_EUSAGE, id, name, hint, "%s", why);
  return -1;
}

/* ---- Devices ---- */

/* Main memory, of its own or as the host's part of a device. */
static bool is_main_memory(int device) {
  return device == DLPACK_CPU || device == DLPACK_CUDA_HOST || device == DLPACK_ROCM_HOST;
}

static const char *device_name(int device) {
  static const char *const names[] = {
      [2] = "CUDA",          [4] = "OpenCL",        [7] = "Vulkan",  [8] = "Metal",   [9] = "VPI",     [10] = "ROCm",
      [12] = "an extension", [13] = "managed CUDA", [14] = "oneAPI", [15] = "WebGPU", [16] = "Hexagon"};
  const char *name = device >= 0 && device < (int)(sizeof names / sizeof *names) ? names[device] : NULL;
  return name ? name : "an unknown kind";
}

static int check_device(module_state *state, const char *name, int device, int number) {
  char format[120];
  if (is_main_memory(device)) return 0;
  PyOS_snprintf(format, sizeof format, "the values are on a device of %s (%%d, %%d), not in main memory",
                device_name(device));
  return refuse_tensor(state, name, "other-device", "copy them first: tensor.cpu()", format, device, number);
}

/* Where the producer says that it is; -1 and an exception. */
static int ask_device(module_state *state, const char *name, PyObject *source) {
  int device, number;
  PyObject *answer = PyObject_CallMethod(source, "__dlpack_device__", NULL);
  if (!answer) return -1;
  PyObject *pair = PySequence_Tuple(answer); /* the first may be of an enum */
  int status = pair && PyArg_ParseTuple(pair, "ii:__dlpack_device__", &device, &number) ? 0 : -1;
  Py_XDECREF(pair);
  Py_DECREF(answer);
  return status < 0 ? -1 : check_device(state, name, device, number);
}

/* ---- Taking ---- */

/* Producers from before version 1.0 do not know the keyword. */
static PyObject *ask_capsule(PyObject *method) {
  PyObject *arguments = PyTuple_New(0), *keywords = Py_BuildValue("{s(ii)}", "max_version", DLPACK_MAJOR, DLPACK_MINOR);
  PyObject *capsule = arguments && keywords ? PyObject_Call(method, arguments, keywords) : NULL;
  /* An exception of a class that is derived from it is about the values. */
  if (!capsule && PyErr_Occurred() == PyExc_TypeError) {
    PyErr_Clear();
    capsule = PyObject_CallNoArgs(method);
  }
  Py_XDECREF(arguments);
  Py_XDECREF(keywords);
  return capsule;
}

/* Move the struct out of its capsule: from here on it is ours to delete. */
static int empty_capsule(PyObject *capsule, tensor_object *to) {
  int status = 1;
  Py_BEGIN_CRITICAL_SECTION(capsule); /* another thread may be about to do the same */
  if (PyCapsule_IsValid(capsule, "dltensor_versioned")) {
    to->versioned = PyCapsule_GetPointer(capsule, "dltensor_versioned");
    status = PyCapsule_SetName(capsule, "used_dltensor_versioned");
  } else if (PyCapsule_IsValid(capsule, "dltensor")) {
    to->legacy = PyCapsule_GetPointer(capsule, "dltensor");
    status = PyCapsule_SetName(capsule, "used_dltensor");
  }
  Py_END_CRITICAL_SECTION();
  if (status <= 0) return status;
  PyErr_SetString(PyExc_BufferError, "__dlpack__ gave no capsule of a tensor, or one that has been used");
  return -1;
}

/* The format of the buffer protocol for a type; "" when there is none of ours. */
static void spell_format(tensor_object *to, int code, int bits) {
  static const char *const letters[] = {[DLPACK_INT] = "bhiq", [DLPACK_UINT] = "BHIQ", [DLPACK_FLOAT] = "  fd"};
  int size = bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : bits == 64 ? 3 : -1;
  char letter = 0;
  if (code == DLPACK_BOOL && size == 0) letter = '?';
  else if (code >= 0 && code <= DLPACK_FLOAT && size >= 0) letter = letters[code][size];
  to->format[0] = letter == ' ' ? 0 : letter;
  to->itemsize = bits / 8;
}

/* Shape and strides, checked: their product does not overflow. */
static int measure_strides(tensor_object *to, const dlpack_tensor *t) {
  to->ndim = t->ndim;
  to->shape = PyMem_Calloc(2 * (size_t)t->ndim + 1, sizeof *to->shape);
  if (!to->shape) return -1;
  to->strides = to->shape + t->ndim;
  Py_ssize_t size = to->itemsize;
  bool fits = true;
  for (int i = t->ndim - 1; i >= 0; i--) {
    to->shape[i] = t->shape[i];
    to->strides[i] = size;
    fits &= t->shape[i] >= 0 && !(t->strides && __builtin_mul_overflow(t->strides[i], to->itemsize, &to->strides[i]));
    fits &= !__builtin_mul_overflow(size, to->shape[i] ? to->shape[i] : 1, &size);
  }
  to->length = size;
  for (int i = 0; i < t->ndim; i++)
    if (to->shape[i] == 0) to->length = 0;
  return fits ? 0 : -1;
}

static int refuse_type(module_state *state, const char *name, const dlpack_tensor *t) {
  static const char *const names[] = {"int", "uint", "float", "handle", "bfloat", "complex", "bool"};
  bool known = t->dtype.code < sizeof names / sizeof *names;
  char type[64], lanes[16] = "";
  if (t->dtype.lanes != 1) PyOS_snprintf(lanes, sizeof lanes, "x%d", t->dtype.lanes);
  if (known) PyOS_snprintf(type, sizeof type, "%s%d%s", names[t->dtype.code], t->dtype.bits, lanes);
  else PyOS_snprintf(type, sizeof type, "DLPack's type %d of %d bits%s", t->dtype.code, t->dtype.bits, lanes);
  raise_new(state, MM_EUSAGE, "wrong-type", name, "convert the tensor first", "a tensor of %s has no type here", type);
  return -1;
}

static int fill_tensor(module_state *state, const char *name, tensor_object *to, const dlpack_tensor *t) {
  if (check_device(state, name, t->device.type, t->device.id) < 0) return -1;
  spell_format(to, t->dtype.code, t->dtype.bits);
  if (!to->format[0] || t->dtype.lanes != 1) return refuse_type(state, name, t);
  if (t->ndim < 0 || t->ndim > PyBUF_MAX_NDIM || (t->ndim > 0 && !t->shape) || measure_strides(to, t) < 0) {
    PyErr_SetString(PyExc_BufferError, "the tensor has no shape that can be");
    return -1;
  }
  if (t->data) to->data = (char *)t->data + t->byte_offset;
  if (t->data || to->length == 0) return 0;
  PyErr_SetString(PyExc_BufferError, "the tensor has no memory");
  return -1;
}

PyObject *tensor_take(module_state *state, const char *name, PyObject *source) {
  PyObject *method = NULL, *capsule = NULL;
  if (PyType_Check(source) || attribute_find(source, "__dlpack__", &method) <= 0) return NULL;
  PyTypeObject *type = (PyTypeObject *)state->tensor_type;
  tensor_object *self = (tensor_object *)type->tp_alloc(type, 0);
  if (self) live_count(LIVE_owners, 1);
  if (self && ask_device(state, name, source) == 0) capsule = ask_capsule(method);
  int status = capsule ? empty_capsule(capsule, self) : -1;
  if (status == 0 && self->legacy) status = fill_tensor(state, name, self, &self->legacy->tensor);
  else if (status == 0 && self->versioned->version.major != DLPACK_MAJOR)
    status = refuse_tensor(state, name, "wrong-version", NULL, "the tensor is of DLPack %d.%d, expected 1",
                           (int)self->versioned->version.major, (int)self->versioned->version.minor);
  else if (status == 0) {
    self->readonly = (self->versioned->flags & DLPACK_READ_ONLY) != 0;
    status = fill_tensor(state, name, self, &self->versioned->tensor);
  }
  Py_XDECREF(capsule);
  Py_DECREF(method);
  if (status == 0) return (PyObject *)self;
  Py_XDECREF(self);
  return NULL;
}

/* ---- The type ---- */

static int tensor_view(PyObject *object, Py_buffer *view, int flags) {
  tensor_object *self = (tensor_object *)object;
  *view = (Py_buffer){.buf = self->data,
                      .len = self->length,
                      .itemsize = self->itemsize,
                      .readonly = self->readonly,
                      .ndim = self->ndim,
                      .format = self->format,
                      .shape = self->shape,
                      .strides = self->strides};
  const char *why = NULL;
  if (self->readonly && flags & PyBUF_WRITABLE) why = "the tensor is read-only";
  else if ((flags & PyBUF_STRIDES) != PyBUF_STRIDES && !PyBuffer_IsContiguous(view, 'C'))
    why = "the tensor is not contiguous";
  if (why) {
    *view = (Py_buffer){0};
    PyErr_SetString(PyExc_BufferError, why);
    return -1;
  }
  view->obj = Py_NewRef(object);
  return 0;
}

static void tensor_dealloc(PyObject *object) {
  tensor_object *self = (tensor_object *)object;
  PyTypeObject *type = Py_TYPE(object);
  PyObject *raised, *value, *traceback;
  PyErr_Fetch(&raised, &value, &traceback); /* a deleter may run Python code */
  if (self->legacy && self->legacy->deleter) self->legacy->deleter(self->legacy);
  if (self->versioned && self->versioned->deleter) self->versioned->deleter(self->versioned);
  PyErr_Restore(raised, value, traceback);
  PyMem_Free(self->shape);
  live_count(LIVE_owners, -1);
  type->tp_free(object);
  Py_DECREF(type);
}

static PyType_Slot slots[] = {{Py_tp_doc, "The memory of a tensor of DLPack."},
                              {Py_tp_dealloc, (void *)(uintptr_t)tensor_dealloc},
                              {Py_bf_getbuffer, (void *)(uintptr_t)tensor_view},
                              {0}};

static PyType_Spec spec = {.name = "moonmill._core.Tensor",
                           .basicsize = sizeof(tensor_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

int mmpy_tensor_register(PyObject *module, module_state *state) {
  return mmpy_type_register(module, &spec, &state->tensor_type);
}
