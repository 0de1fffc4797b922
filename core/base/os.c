/* os.c - the services of the operating system: memory, files, threads. Nothing else in core/ calls them.
 *
 * DESIGN. Small memory comes from the C library. From 2 MiB on it is mapped by itself, on a boundary of 2 MiB and open
 * to huge pages, so that big columns cost few page faults and few TLB entries, and go back to the system when released.
 * File calls repeat after a signal (EINTR) and return negated error numbers.
 *
 * SPDX-License-Identifier: MIT */
#include "base/os.h"
#include "base/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { CONFIGFS_MAGIC = 0x62656570 }; /* not in linux/magic.h */
enum { HUGE = 2 << 20 };

/* ---- Memory ---- */

static size_t pages(int64_t size) { return ((size_t)size + 4095) & ~(size_t)4095; }

/* Address space on a boundary of 2 MiB; NULL when there is none. */
static void *map_aligned(size_t size, int protection) {
  size_t room = size + HUGE;
  uint8_t *start = mmap(NULL, room, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) return NULL;
  uint8_t *aligned = (uint8_t *)(((uintptr_t)start + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
  if (aligned > start) munmap(start, (size_t)(aligned - start));
  size_t rest = (size_t)(start + room - (aligned + size));
  if (rest > 0) munmap(aligned + size, rest);
  return aligned;
}

static void *os_allocate(void *self, int64_t size) {
  (void)self;
  if (size >= HUGE) {
    void *mapped = map_aligned(pages(size), PROT_READ | PROT_WRITE);
    if (mapped) madvise(mapped, pages(size), MADV_HUGEPAGE); /* advisory; ignored by kernels without it */
    return mapped;
  }
  void *memory;
  return posix_memalign(&memory, 64, (size_t)(size > 0 ? size : 1)) == 0 ? memory : NULL;
}

static void os_release(void *self, void *memory, int64_t size) {
  (void)self;
  if (size >= HUGE) munmap(memory, pages(size));
  else free(memory);
}

static void *os_resize(void *self, void *memory, int64_t old_size, int64_t new_size) {
  if (old_size >= HUGE && new_size >= HUGE) { /* move the pages, not the bytes */
    void *room = map_aligned(pages(new_size), PROT_NONE);
    if (!room) return NULL;
    void *moved = mremap(memory, pages(old_size), pages(new_size), MREMAP_MAYMOVE | MREMAP_FIXED, room);
    if (moved != MAP_FAILED) return moved;
    munmap(room, pages(new_size));
    return NULL;
  }
  void *fresh = os_allocate(self, new_size);
  if (!fresh) return NULL;
  memcpy(fresh, memory, (size_t)(old_size < new_size ? old_size : new_size));
  os_release(self, memory, old_size);
  return fresh;
}

int os_fill;

/* Once, before any thread: MM_FILL is what fresh and recycled memory is filled with. */
__attribute__((constructor)) static void read_fill(void) {
  const char *byte = getenv("MM_FILL");
  if (byte) os_fill = (int)(strtol(byte, NULL, 0) & 0xFF);
}

void os_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

/* ---- Files ---- */

/* The result of a call, repeated while a signal interrupts it, or its negated error number. */
#define REPEAT(type, call)                                                                                             \
  type result_;                                                                                                        \
  do result_ = (call);                                                                                                 \
  while (result_ < 0 && errno == EINTR);                                                                               \
  return result_ < 0 ? -errno : result_

static int open_repeated(const char *path, int flags, int mode) { REPEAT(int, open(path, flags | O_CLOEXEC, mode)); }

/* A host may have closed its stdin, stdout or stderr. Their numbers are not for data: whatever prints would write into
 * it. */
static int move_up(int low) {
  int fd = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), failure = fd < 0 ? -errno : 0;
  close(low);
  return fd < 0 ? failure : fd;
}

static int os_open(void *self, const char *path, int flags, int mode) {
  (void)self;
  int fd = open_repeated(path, flags, mode);
  return fd < 0 || fd > STDERR_FILENO ? fd : move_up(fd);
}
static int64_t os_read(void *self, int fd, void *bytes, int64_t size) {
  (void)self;
  REPEAT(int64_t, read(fd, bytes, (size_t)size));
}
static int64_t os_write(void *self, int fd, const void *bytes, int64_t size) {
  (void)self;
  REPEAT(int64_t, write(fd, bytes, (size_t)size));
}
static int64_t os_pread(void *self, int fd, void *bytes, int64_t size, int64_t offset) {
  (void)self;
  REPEAT(int64_t, pread(fd, bytes, (size_t)size, offset));
}
static int64_t os_pwrite(void *self, int fd, const void *bytes, int64_t size, int64_t offset) {
  (void)self;
  REPEAT(int64_t, pwrite(fd, bytes, (size_t)size, offset));
}
static int os_fsync(void *self, int fd) {
  (void)self;
  REPEAT(int, fsync(fd));
}
static int os_close(void *self, int fd) { /* Linux frees the number even when close is interrupted: never again */
  (void)self;
  return close(fd) < 0 && errno != EINTR ? -errno : 0;
}
static int os_rename(void *self, const char *from, const char *to) {
  (void)self;
  return rename(from, to) < 0 ? -errno : 0;
}
static int os_unlink(void *self, const char *path) {
  (void)self;
  return unlink(path) < 0 ? -errno : 0;
}

const char *os_temporary_folder(void) {
  const char *folder = secure_getenv("TMPDIR");
  return folder && *folder ? folder : "/tmp";
}

/* Files that the kernel makes up when they are read: their size is 0 or a page, whatever they hold. */
static bool is_synthetic(const char *path, int fd, const struct stat *found) {
  static const uint32_t kinds[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC,        DEBUGFS_MAGIC,       TRACEFS_MAGIC,
                                   SECURITYFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, CONFIGFS_MAGIC};
  struct statfs system;
  if (found->st_blocks > 0 || (path ? statfs(path, &system) : fstatfs(fd, &system)) < 0) return false;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if ((uint32_t)system.f_type == kinds[i]) return true;
  return false;
}

static int os_stat(void *self, const char *path, int fd, mm_file_status *status) {
  (void)self;
  struct stat found;
  if ((path ? stat(path, &found) : fstat(fd, &found)) < 0) return -errno;
  bool regular = S_ISREG(found.st_mode);
  off_t at = regular && !path ? lseek(fd, 0, SEEK_CUR) : 0;
  *status = (mm_file_status){
      .size = regular && !is_synthetic(path, fd, &found) ? found.st_size : -1,
      .at = at > 0 ? at : 0,
      .device = found.st_dev,
      .inode = found.st_ino,
      .is_directory = S_ISDIR(found.st_mode),
      .is_regular = regular,
      .is_pipe = S_ISFIFO(found.st_mode),
  };
  return 0;
}

/* ---- Threads ---- */

/* A task on a thread of the pool, and who waits for its end. */
typedef struct running {
  void (*body)(void *);
  void *argument;
  pthread_mutex_t mutex; /* both below */
  pthread_cond_t ended;
  bool done;
} running;

static void run_task(void *opened) {
  running *self = opened;
  self->body(self->argument);
  pthread_mutex_lock(&self->mutex);
  self->done = true;
  pthread_cond_signal(&self->ended);
  pthread_mutex_unlock(&self->mutex);
}

static void free_running(running *self) {
  pthread_mutex_destroy(&self->mutex);
  pthread_cond_destroy(&self->ended);
  memory_release(self, sizeof *self);
}

static int os_start(void *self, void **thread, void (*body)(void *), void *argument) {
  (void)self;
  running *fresh = memory_allocate(sizeof *fresh);
  if (!fresh) return -ENOMEM;
  *fresh = (running){.body = body, .argument = argument};
  pthread_mutex_init(&fresh->mutex, NULL);
  pthread_cond_init(&fresh->ended, NULL);
  int status = mm_thread_run(run_task, fresh);
  if (status < 0) free_running(fresh);
  else *thread = fresh;
  return status;
}

static void os_join(void *self, void *thread) {
  (void)self;
  running *joined = thread;
  pthread_mutex_lock(&joined->mutex);
  while (!joined->done) pthread_cond_wait(&joined->ended, &joined->mutex);
  pthread_mutex_unlock(&joined->mutex);
  free_running(joined);
}

/* ---- In use ---- */

#define OS_ALLOCATOR                                                                                                   \
  { NULL, os_allocate, os_resize, os_release }
#define OS_IO                                                                                                          \
  { NULL, os_open, os_read, os_write, os_pread, os_pwrite, os_fsync, os_close, os_rename, os_unlink, os_stat }
#define OS_THREADS                                                                                                     \
  { NULL, os_start, os_join }

mm_allocator os_allocator = OS_ALLOCATOR;
mm_io os_io = OS_IO;
mm_threads os_threads = OS_THREADS;

void mm_set_allocator(const mm_allocator *allocator) {
  mm_memory_trim(); /* recycled blocks go back to where they came from */
  os_allocator = allocator ? *allocator : (mm_allocator)OS_ALLOCATOR;
}
void mm_set_io(const mm_io *io) { os_io = io ? *io : (mm_io)OS_IO; }
void mm_set_threads(const mm_threads *threads) { os_threads = threads ? *threads : (mm_threads)OS_THREADS; }
