/* alloc.c - all memory of the core: counted against the budget, big pieces recycled.
 *
 * DESIGN. Pieces of 16 KiB and more are rounded up to a size class (four to each power of two, and a little more for
 * the header of a block) and kept in free lists when released, because fresh pages cost more than most kernels that
 * fill them. Pieces below 2 MiB, the vectors of a batch, go to one of several shards, chosen by thread, so that workers
 * seldom meet; bigger ones, and what a full shard leaves, go to one big shard. Shards are bounded in bytes, the big one
 * more tightly under a limit; what does not fit there either goes back to the allocator. A list lives in the pieces
 * themselves. The C library keeps what it gets back of the pieces below 2 MiB, wherever pieces in use lie behind them,
 * so it is asked to let go when that has become much.
 *
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/compiler.h"
#include "base/os.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { SLACK = 256, SMALLEST = 14, LARGEST = 36, CLASSES = (LARGEST - SMALLEST) * 4, BIG = 2 << 20, SHARDS = 16 };

/* AddressSanitizer must see every release, and the true end of every piece. */
enum { RECYCLES = !ASAN_BUILD };
enum { SHARD_BYTES = 8 << 20, BIG_BYTES = 512 << 20, BIG_SHARE = 16, IDLE_BYTES = 64 << 20 };

typedef struct piece {
  struct piece *next;
} piece;

typedef struct shard {
  _Alignas(64) pthread_mutex_t lock;
  int64_t bytes; /* kept */
  piece *lists[CLASSES];
} shard;

#define NEW_SHARD                                                                                                      \
  { .lock = PTHREAD_MUTEX_INITIALIZER }
static shard shards[SHARDS + 1] = {
    NEW_SHARD, NEW_SHARD, NEW_SHARD, NEW_SHARD, NEW_SHARD, NEW_SHARD, NEW_SHARD, NEW_SHARD, NEW_SHARD,
    NEW_SHARD, NEW_SHARD, NEW_SHARD, NEW_SHARD, NEW_SHARD, NEW_SHARD, NEW_SHARD, NEW_SHARD,
};
static shard *const big_shard = &shards[SHARDS];

static atomic_int_least64_t used, peak, limit;
static atomic_int_least64_t idle; /* pieces below 2 MiB that the C library got back, and has not given again */

/* ---- Size classes ---- */

/* The class of a size, or -1 when it is not recycled; *rounded is what is really allocated. */
static int size_class(int64_t size, int64_t *rounded) {
  *rounded = size;
  int64_t rest = size - SLACK;
  if (!RECYCLES || rest < INT64_C(1) << SMALLEST || rest > INT64_C(1) << (LARGEST - 1)) return -1;
  int power = 63 - __builtin_clzll((uint64_t)rest);
  int64_t step = INT64_C(1) << (power - 2);
  int64_t steps = (rest - (INT64_C(1) << power) + step - 1) / step; /* 0 .. 4 */
  *rounded = (INT64_C(1) << power) + steps * step + SLACK;
  return (power - SMALLEST) * 4 + (int)steps;
}

static int64_t class_size(int class) { return ((INT64_C(4) + class % 4) << (SMALLEST + class / 4 - 2)) + SLACK; }

/* Threads have the lowest numbers that are free: those of the next job find what those of the last one left. */
static atomic_uint numbers_taken; /* a bit for each shard */
static atomic_int numbers_used;   /* shards that have had a thread */
static pthread_key_t thread_end;

static void free_number(void *number) { atomic_fetch_and(&numbers_taken, ~(1U << ((uintptr_t)number - 1))); }
__attribute__((constructor)) static void watch_threads(void) { pthread_key_create(&thread_end, free_number); }

static int new_number(void) {
  unsigned taken = atomic_load(&numbers_taken);
  while (~taken & ((1U << SHARDS) - 1)) {
    int lowest = __builtin_ctz(~taken);
    if (!atomic_compare_exchange_weak(&numbers_taken, &taken, taken | 1U << lowest)) continue;
    pthread_setspecific(thread_end, (void *)((uintptr_t)lowest + 1));
    int most = atomic_load(&numbers_used);
    while (most <= lowest && !atomic_compare_exchange_weak(&numbers_used, &most, lowest + 1)) continue;
    return lowest;
  }
  static atomic_uint more; /* threads than shards */
  return (int)(atomic_fetch_add(&more, 1) % SHARDS);
}

static shard *shard_of(int64_t size) {
  static _Thread_local int number = -1;
  if (size >= BIG) return big_shard;
  if (number < 0) number = new_number();
  return &shards[number];
}

static void *take_recycled(shard *from, int class, int64_t size) {
  pthread_mutex_lock(&from->lock);
  piece *found = from->lists[class];
  if (found) {
    from->lists[class] = found->next;
    from->bytes -= size;
  }
  pthread_mutex_unlock(&from->lock);
  return found;
}

/* 512 MiB, or a sixteenth of the machine's memory where that is more: a result of a gigabyte is worth keeping the
 * pages of. Of a limit, a sixteenth: what is kept comes on top of it. */
static int64_t big_bound(void) {
  static atomic_int_least64_t bound;
  int64_t known = atomic_load_explicit(&bound, memory_order_relaxed);
  int64_t most = atomic_load_explicit(&limit, memory_order_relaxed) / BIG_SHARE;
  if (!known) {
    known = (int64_t)sysconf(_SC_PHYS_PAGES) / BIG_SHARE * (int64_t)sysconf(_SC_PAGESIZE);
    if (known < BIG_BYTES) known = BIG_BYTES;
    atomic_store_explicit(&bound, known, memory_order_relaxed);
  }
  return most > 0 && most < known ? most : known;
}

static bool give_recycled(shard *to, void *memory, int class, int64_t size) {
  int64_t bound = to == big_shard ? big_bound() : SHARD_BYTES;
  pthread_mutex_lock(&to->lock);
  bool kept = to->bytes + size <= bound;
  if (kept) {
    piece *fresh = memory;
    fresh->next = to->lists[class];
    to->lists[class] = fresh;
    to->bytes += size;
  }
  pthread_mutex_unlock(&to->lock);
  return kept;
}

/* One's own first, then what others left: threads that free what another one allocates would hoard it. */
static void *recycled(int class, int64_t size) {
  if (class < 0) return NULL;
  shard *own = shard_of(size);
  void *found = take_recycled(own, class, size);
  if (found || own == big_shard) return found;
  found = take_recycled(big_shard, class, size);
  int most = atomic_load_explicit(&numbers_used, memory_order_relaxed);
  for (int i = 0; i < most && !found; i++)
    if (&shards[i] != own) found = take_recycled(&shards[i], class, size);
  return found;
}

static bool recycle(void *memory, int class, int64_t size) {
  if (class < 0) return false;
  shard *own = shard_of(size);
  return give_recycled(own, memory, class, size) || (own != big_shard && give_recycled(big_shard, memory, class, size));
}

/* ---- What the C library keeps ---- */

static bool is_library_s(int class, int64_t size) { return class >= 0 && size < BIG; }

static void note_given(int class, int64_t size) {
  if (is_library_s(class, size) && atomic_load_explicit(&idle, memory_order_relaxed) >= size)
    atomic_fetch_sub_explicit(&idle, size, memory_order_relaxed);
}

static void note_returned(int class, int64_t size) {
  if (!is_library_s(class, size)) return;
  int64_t now = atomic_fetch_add_explicit(&idle, size, memory_order_relaxed) + size;
  if (now > IDLE_BYTES && atomic_exchange(&idle, 0) > IDLE_BYTES) os_trim();
}

/* ---- A forked child finds all locks free ---- */

static void hold_all(void) {
  for (int i = 0; i <= SHARDS; i++) pthread_mutex_lock(&shards[i].lock);
}
static void let_go_all(void) {
  for (int i = 0; i <= SHARDS; i++) pthread_mutex_unlock(&shards[i].lock);
}
/* Before others register, so that theirs are taken first: who holds one of them may allocate. */
__attribute__((constructor(1000))) static void survive_forks(void) { pthread_atfork(hold_all, let_go_all, let_go_all); }

void mm_memory_trim(void) {
  for (int i = 0; i <= SHARDS; i++) {
    pthread_mutex_lock(&shards[i].lock);
    for (int class = 0; class < CLASSES; class ++) {
      while (shards[i].lists[class]) {
        piece *gone = shards[i].lists[class];
        shards[i].lists[class] = gone->next;
        os_allocator.release(os_allocator.self, gone, class_size(class));
      }
    }
    shards[i].bytes = 0;
    pthread_mutex_unlock(&shards[i].lock);
  }
  atomic_store(&idle, 0);
  os_trim();
}

/* ---- The budget ---- */

static bool reserve_bytes(int64_t size) {
  int64_t now = atomic_fetch_add_explicit(&used, size, memory_order_relaxed) + size;
  int64_t most = atomic_load_explicit(&limit, memory_order_relaxed);
  if (most > 0 && now > most) {
    atomic_fetch_sub_explicit(&used, size, memory_order_relaxed);
    return false;
  }
  int64_t before = atomic_load_explicit(&peak, memory_order_relaxed);
  while (now > before
         && !atomic_compare_exchange_weak_explicit(&peak, &before, now, memory_order_relaxed, memory_order_relaxed)) {}
  return true;
}

static void unreserve(int64_t size) { atomic_fetch_sub_explicit(&used, size, memory_order_relaxed); }

static atomic_int_least64_t reserved;

bool mm_memory_reserve(int64_t bytes) {
  if (!reserve_bytes(bytes)) return false;
  atomic_fetch_add_explicit(&reserved, bytes, memory_order_relaxed);
  return true;
}

void mm_memory_unreserve(int64_t bytes) {
  atomic_fetch_sub_explicit(&reserved, bytes, memory_order_relaxed);
  unreserve(bytes);
}

int64_t mm_memory_reserved(void) { return atomic_load_explicit(&reserved, memory_order_relaxed); }

void mm_memory_limit(int64_t bytes) { atomic_store_explicit(&limit, bytes > 0 ? bytes : 0, memory_order_relaxed); }
int64_t mm_memory_limit_now(void) { return atomic_load_explicit(&limit, memory_order_relaxed); }
int64_t mm_memory_used(void) { return atomic_load_explicit(&used, memory_order_relaxed); }
int64_t mm_memory_peak(void) { return atomic_load_explicit(&peak, memory_order_relaxed); }

int64_t mm_memory_kept(void) {
  int64_t kept = 0;
  for (int i = 0; i <= SHARDS; i++) {
    pthread_mutex_lock(&shards[i].lock);
    kept += shards[i].bytes;
    pthread_mutex_unlock(&shards[i].lock);
  }
  return kept;
}

bool memory_is_over(int64_t size) {
  int64_t rounded, most = mm_memory_limit_now(), now;
  size_class(size < 0 ? 0 : size, &rounded);
  return most > 0 && (__builtin_add_overflow(rounded, mm_memory_used(), &now) || now > most);
}

/* ---- Allocation ---- */

static void *allocate_class(int class, int64_t rounded) {
  void *memory = recycled(class, rounded);
  if (memory) return memory;
  note_given(class, rounded);
  memory = os_allocator.allocate(os_allocator.self, rounded);
  if (!memory) { /* perhaps what is kept in other classes helps */
    mm_memory_trim();
    memory = os_allocator.allocate(os_allocator.self, rounded);
  }
  return memory;
}

void *memory_allocate(int64_t size) {
  if (size < 0) return NULL;
  int64_t rounded;
  int class = size_class(size, &rounded);
  if (!reserve_bytes(rounded)) return NULL;
  void *memory = allocate_class(class, rounded);
  if (!memory) unreserve(rounded);
  else if (os_fill) memset(memory, os_fill, (size_t)rounded);
  return memory;
}

void *memory_allocate_zero(int64_t size) {
  void *memory = memory_allocate(size);
  return memory ? memset(memory, 0, (size_t)size) : NULL;
}

void memory_release(void *memory, int64_t size) {
  if (!memory) return;
  int64_t rounded;
  int class = size_class(size, &rounded);
  unreserve(rounded);
  if (recycle(memory, class, rounded)) return;
  os_allocator.release(os_allocator.self, memory, rounded);
  note_returned(class, rounded);
}

void *memory_resize(void *memory, int64_t old_size, int64_t new_size) {
  if (!memory) return memory_allocate(new_size);
  if (new_size < 0) return NULL;
  int64_t old_rounded, new_rounded;
  size_class(old_size, &old_rounded);
  int class = size_class(new_size, &new_rounded);
  if (old_rounded == new_rounded) return memory;
  if (old_rounded < BIG || new_rounded < BIG || class < 0) {
    void *fresh = memory_allocate(new_size);
    if (!fresh) return NULL;
    memcpy(fresh, memory, (size_t)(old_size < new_size ? old_size : new_size));
    memory_release(memory, old_size);
    return fresh;
  }
  if (new_rounded > old_rounded && !reserve_bytes(new_rounded - old_rounded)) return NULL;
  void *moved = os_allocator.resize(os_allocator.self, memory, old_rounded, new_rounded);
  if (moved && new_rounded < old_rounded) unreserve(old_rounded - new_rounded);
  if (moved && new_rounded > old_rounded && os_fill)
    memset((uint8_t *)moved + old_rounded, os_fill, (size_t)(new_rounded - old_rounded));
  if (!moved && new_rounded > old_rounded) unreserve(new_rounded - old_rounded);
  return moved;
}

char *memory_copy_text(const char *text) {
  int64_t size = (int64_t)strlen(text) + 1;
  char *copy = memory_allocate(size);
  return copy ? memcpy(copy, text, (size_t)size) : NULL;
}
