/* alloc.h - memory through the allocator and the budget.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdbool.h>
#include <stdint.h>

void *mm_allocate(int64_t size); /* NULL: out of memory or budget */
void *mm_allocate_zero(int64_t size);
void *mm_resize(void *memory, int64_t old_size, int64_t new_size); /* `memory` is kept on failure */
void mm_release(void *memory, int64_t size);                       /* NULL is allowed */
bool mm_memory_is_over(int64_t size);                              /* would as many bytes more exceed the limit? */
char *mm_copy_text(const char *text);                              /* release with mm_release(p, strlen(p) + 1) */
