/* os.h - the host's services: the operating system's, or what was put in their place.
 * SPDX-License-Identifier: MIT */
#pragma once
#include "stage.h"

extern mm_allocator os_allocator; /* for memory/alloc.c alone: everybody else allocates within the budget */
extern int os_fill; /* for specs: a byte that memory is filled with before it is given out; 0: it is not */
void os_trim(void); /* for memory/alloc.c: the C library gives back pages that it does not need */
extern mm_io os_io;
const char *os_temporary_folder(void); /* $TMPDIR, or /tmp */
extern mm_threads os_threads;
