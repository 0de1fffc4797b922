/* faults.c - an allocator that fails when it is told to, for spec/core/faults_spec.lua, which compiles this file.
 * SPDX-License-Identifier: MIT */
#include "stage.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_llong calls, first, last; /* calls first .. last fail */

static bool fails(void) {
  long long call = atomic_fetch_add(&calls, 1) + 1;
  return call >= atomic_load(&first) && call <= atomic_load(&last);
}

static void *fault_allocate(void *self, int64_t size) {
  (void)self;
  void *memory;
  if (fails() || posix_memalign(&memory, 64, (size_t)(size > 0 ? size : 1)) != 0) return NULL;
  return memset(memory, 0xa5, (size_t)size);
}

static void fault_release(void *self, void *memory, int64_t size) {
  (void)self;
  memset(memory, 0x5a, (size_t)size);
  free(memory);
}

static void *fault_resize(void *self, void *memory, int64_t old_size, int64_t new_size) {
  void *fresh = fault_allocate(self, new_size);
  if (!fresh) return NULL;
  memcpy(fresh, memory, (size_t)(old_size < new_size ? old_size : new_size));
  fault_release(self, memory, old_size);
  return fresh;
}

static const mm_allocator allocator = {NULL, fault_allocate, fault_resize, fault_release};

/* The allocator; calls from the n-th on fail, `count` of them. */
const mm_allocator *faults_allocator(int64_t n, int64_t count);
const mm_allocator *faults_allocator(int64_t n, int64_t count) {
  atomic_store(&calls, 0);
  atomic_store(&first, n);
  atomic_store(&last, count > INT64_MAX - n ? INT64_MAX : n + count - 1);
  return &allocator;
}

int64_t faults_calls(void);
int64_t faults_calls(void) { return atomic_load(&calls); }
