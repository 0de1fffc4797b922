/* os.h - the host's services: the operating system's, or what was put in their place.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

extern mm_allocator mm_host_allocator; /* for memory/alloc.c alone: everybody else allocates within the budget */
extern int mm_host_fill; /* for specs: a byte that memory is filled with before it is given out; 0: it is not */
void mm_host_trim(void); /* for memory/alloc.c: the C library gives back pages that it does not need */
extern mm_io mm_host_io;
extern mm_threads mm_host_threads;
