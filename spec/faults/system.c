/* system.c - calls of the C library that fail when they are told to, preloaded into the command by
 * spec/cli/memory_spec.lua, which compiles this file. FAIL=CALL:N[+] fails call number N, with + all later ones too;
 * the number of calls goes to the file that COUNT names.
 * SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MALLOC, MMAP, MPROTECT, NONE };
static const char *const names[] = {"malloc", "mmap", "mprotect"};

static int chosen = NONE;
static long first;
static bool onwards;
static atomic_long calls;

__attribute__((constructor)) static void read_order(void) {
  const char *order = getenv("FAIL"), *colon = order ? strchr(order, ':') : NULL;
  if (!colon) return;
  char *end;
  first = strtol(colon + 1, &end, 10);
  onwards = *end == '+';
  for (int i = 0; i < NONE; i++) {
    if (strncmp(order, names[i], (size_t)(colon - order)) == 0) chosen = i;
  }
}

__attribute__((destructor)) static void tell(void) {
  const char *path = getenv("COUNT");
  long count = atomic_load(&calls);
  chosen = NONE;
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file, "%ld", count);
  fclose(file);
}

static bool fails(int call) {
  if (call != chosen) return false;
  long number = atomic_fetch_add(&calls, 1) + 1;
  errno = call == MPROTECT ? EACCES : ENOMEM;
  return number == first || (onwards && number > first);
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size) { return fails(MALLOC) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails(MALLOC) ? NULL : __libc_calloc(count, size); }
void *realloc(void *memory, size_t size) { return fails(MALLOC) ? NULL : __libc_realloc(memory, size); }

typedef void *map_call(void *, size_t, int, int, int, off_t);

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
  if (fails(MMAP)) return MAP_FAILED;
  return ((map_call *)(uintptr_t)dlsym(RTLD_NEXT, "mmap"))(at, size, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
  return mmap(at, size, protection, flags, fd, offset);
}

int mprotect(void *at, size_t size, int protection) {
  if (fails(MPROTECT)) return -1;
  return ((int (*)(void *, size_t, int))(uintptr_t)dlsym(RTLD_NEXT, "mprotect"))(at, size, protection);
}
