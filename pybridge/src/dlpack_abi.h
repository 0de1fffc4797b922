/* dlpack_abi.h - the structs of DLPack that one-dimensional arrays in main memory need.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdint.h>

enum { DLPACK_CPU = 1, DLPACK_CUDA_HOST = 3, DLPACK_ROCM_HOST = 11 };
enum { DLPACK_INT = 0, DLPACK_UINT = 1, DLPACK_FLOAT = 2, DLPACK_BOOL = 6 };
enum { DLPACK_MAJOR = 1, DLPACK_MINOR = 0 };
enum { DLPACK_READ_ONLY = 1, DLPACK_IS_COPIED = 2 };

typedef struct dlpack_tensor {
  void *data;
  struct { int32_t type, id; } device;
  int32_t ndim;
  struct { uint8_t code, bits; uint16_t lanes; } dtype;
  int64_t *shape, *strides; /* in elements */
  uint64_t byte_offset;
} dlpack_tensor;

/* Capsule "dltensor", renamed to "used_dltensor" by the consumer. */
typedef struct dlpack_legacy {
  dlpack_tensor tensor;
  void *context;
  void (*deleter)(struct dlpack_legacy *self);
} dlpack_legacy;

/* Capsule "dltensor_versioned", renamed to "used_dltensor_versioned". */
typedef struct dlpack_versioned {
  struct { uint32_t major, minor; } version;
  void *context;
  void (*deleter)(struct dlpack_versioned *self);
  uint64_t flags;
  dlpack_tensor tensor;
} dlpack_versioned;
