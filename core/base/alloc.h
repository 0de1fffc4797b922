/* alloc.h - memory through the allocator and the budget.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdbool.h>
#include <stdint.h>

void *memory_allocate(int64_t size); /* NULL: out of memory or budget */
void *memory_allocate_zero(int64_t size);
void *memory_resize(void *memory, int64_t old_size, int64_t new_size); /* `memory` is kept on failure */
void memory_release(void *memory, int64_t size);                       /* NULL is allowed */
bool memory_is_over(int64_t size);                                     /* would as many bytes more exceed the limit? */
char *memory_copy_text(const char *text); /* release with memory_release(p, strlen(p) + 1) */
