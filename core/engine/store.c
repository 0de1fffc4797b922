/* store.c - named columns kept in this process between jobs.
 *
 * DESIGN. A version is the list of names at one moment. The store has a current one; a snapshot is a reference to it. A
 * change edits the current version in place while nobody else holds it, else it makes a copy of the list, so that a
 * snapshot never changes. Values are items shared by versions; an item is freed with the last version that has it. All
 * versions that live are in a list, so that the holders of a value can be counted.
 *
 * Blocks may belong to a host that takes locks of its own to free them: nothing is freed while the mutex is held.
 *
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/block.h"
#include "base/error.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

typedef struct kept {
  atomic_int_least64_t references; /* versions that have it */
  char *name;
  mm_column column;
  int64_t bytes;
} kept;

struct mm_store {
  int64_t references; /* snapshots, and one while it is current; under the mutex, as the links are */
  mm_store *before, *after;
  kept **items; /* by name */
  int64_t count, capacity;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static mm_store *current;  /* NULL: empty */
static mm_store *versions; /* all that live */

/* ---- The mutex, which a forked child finds free ---- */

static void lock_now(void) { pthread_mutex_lock(&mutex); }
static void unlock_store(void) { pthread_mutex_unlock(&mutex); }
static void survive_fork(void) { pthread_atfork(lock_now, unlock_store, unlock_store); }

static void lock_store(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, survive_fork);
  lock_now();
}

/* ---- Items ---- */

static int64_t column_bytes(const mm_column *column) {
  int64_t length = column->length, bits = (length + 7) / 8;
  int64_t bytes = column->valid ? bits : 0;
  if (column->type.id == MM_BOOL) return bytes + bits;
  if (!column->offsets) return bytes + length * mm_type_width(column->type);
  return bytes + (length + 1) * (int64_t)sizeof *column->offsets + column->offsets[length] - column->offsets[0];
}

static kept *new_item(const char *name, const mm_column *column, mm_error *error) {
  kept *made = memory_allocate_zero(sizeof *made);
  char *copy = made ? memory_copy_text(name) : NULL;
  if (!copy) {
    memory_release(made, sizeof *made);
    error_fail_memory(error, sizeof *made);
    return NULL;
  }
  atomic_init(&made->references, 1);
  made->name = copy;
  made->column = *column;
  mm_column_retain(&made->column);
  made->bytes = column_bytes(column);
  return made;
}

static void release_item(kept *item) {
  if (!item || atomic_fetch_sub_explicit(&item->references, 1, memory_order_acq_rel) > 1) return;
  mm_column_release(&item->column);
  memory_release(item->name, (int64_t)strlen(item->name) + 1);
  memory_release(item, sizeof *item);
}

/* ---- Versions ---- */

static void free_version(mm_store *version) {
  for (int64_t i = 0; i < version->count; i++) release_item(version->items[i]);
  memory_release(version->items, version->capacity * (int64_t)sizeof *version->items);
  memory_release(version, sizeof *version);
}

/* Under the mutex. Returns the version when nobody holds it any more: to be freed once the mutex is given up. */
static mm_store *let_go(mm_store *version) {
  if (!version || --version->references > 0) return NULL;
  if (version->before) version->before->after = version->after;
  else versions = version->after;
  if (version->after) version->after->before = version->before;
  return version;
}

static int make_room(mm_store *version, int64_t count, mm_error *error) {
  if (count <= version->capacity) return 0;
  int64_t capacity = count + count / 2 + 8, width = sizeof *version->items;
  kept **items = memory_resize(version->items, version->capacity * width, capacity * width);
  if (!items) return error_fail_memory(error, capacity * width);
  version->items = items;
  version->capacity = capacity;
  return 0;
}

/* Under the mutex: make the current version one that nobody else holds, with room for one more name. */
static int make_editable(mm_error *error) {
  if (current && current->references == 1) return make_room(current, current->count + 1, error);
  mm_store *copy = memory_allocate_zero(sizeof *copy);
  int64_t count = current ? current->count : 0;
  if (!copy || make_room(copy, count + 1, error) < 0) {
    memory_release(copy, sizeof *copy);
    return error_fail_memory(error, sizeof *copy);
  }
  for (int64_t i = 0; i < count; i++) {
    copy->items[i] = current->items[i];
    atomic_fetch_add_explicit(&copy->items[i]->references, 1, memory_order_relaxed);
  }
  copy->count = count;
  copy->references = 1;
  copy->after = versions;
  if (versions) versions->before = copy;
  versions = copy;
  if (current) current->references--; /* somebody else holds it: not the last one */
  current = copy;
  return 0;
}

/* Where a name is, or would be. */
static int64_t place_of(const mm_store *version, const char *name, bool *found) {
  int64_t low = 0, high = version ? version->count : 0;
  *found = false;
  while (low < high && !*found) {
    int64_t middle = low + (high - low) / 2;
    int order = strcmp(version->items[middle]->name, name);
    if (order < 0) low = middle + 1;
    else high = middle;
    *found = order == 0;
  }
  return *found ? high : low;
}

/* ---- Changes ---- */

static int check_put(const char *name, const mm_column *column, mm_error *error) {
  if (!*name) return error_fail(error, MM_EUSAGE, "store-name", "store: a name must not be empty");
  if (mm_utf8_invalid((const uint8_t *)name, (int64_t)strlen(name)) >= 0)
    return error_fail(error, MM_EUSAGE, "store-name", "store: a name must be valid UTF-8");
  if (column->type.id == MM_OPAQUE)
    return error_fail(error, MM_EUSAGE, "store-type", "store: '%s' is of a nested or foreign type, which is not kept",
                      name);
  bool borrowed = (column->data && !column->data_block) || (column->valid && !column->valid_block)
                  || (column->offsets && !column->offsets_block);
  if (borrowed) return error_fail(error, MM_EBUG, "store-borrowed", "store: the memory of '%s' is only borrowed", name);
  return 0;
}

int mm_store_put(const char *name, const mm_column *column, mm_error *error) {
  TRY(check_put(name, column, error));
  kept *fresh = new_item(name, column, error), *replaced = NULL;
  if (!fresh) return MM_ENOMEM;
  lock_store();
  int status = make_editable(error);
  if (status >= 0) {
    bool found;
    int64_t at = place_of(current, name, &found);
    kept **items = current->items;
    if (found) replaced = items[at];
    else memmove(items + at + 1, items + at, (size_t)(current->count++ - at) * sizeof *items);
    items[at] = fresh;
  }
  unlock_store();
  release_item(status >= 0 ? replaced : fresh);
  return status;
}

int mm_store_drop(const char *name, mm_error *error) {
  kept *dropped = NULL;
  mm_store *unused = NULL;
  bool found;
  lock_store();
  place_of(current, name, &found);
  int status = found ? make_editable(error) : 0;
  if (found && status >= 0) {
    int64_t at = place_of(current, name, &found);
    kept **items = current->items;
    dropped = items[at];
    memmove(items + at, items + at + 1, (size_t)(--current->count - at) * sizeof *items);
    if (current->count == 0) {
      unused = let_go(current);
      current = NULL;
    }
  }
  unlock_store();
  release_item(dropped);
  if (unused) free_version(unused);
  return status < 0 ? status : found;
}

void mm_store_clear(void) {
  lock_store();
  mm_store *unused = let_go(current);
  current = NULL;
  unlock_store();
  if (unused) free_version(unused);
}

/* ---- Looking ---- */

int mm_store_get(const char *name, mm_column *column) {
  bool found;
  lock_store();
  int64_t at = place_of(current, name, &found);
  if (found) {
    *column = current->items[at]->column;
    mm_column_retain(column);
  }
  unlock_store();
  return found;
}

int64_t mm_store_bytes(void) {
  int64_t bytes = 0;
  lock_store();
  for (int64_t i = 0; current && i < current->count; i++) bytes += current->items[i]->bytes;
  unlock_store();
  return bytes;
}

mm_store *mm_store_snapshot(void) {
  lock_store();
  mm_store *snapshot = current;
  if (snapshot) snapshot->references++;
  unlock_store();
  return snapshot;
}

void mm_store_release(mm_store *snapshot) {
  lock_store();
  mm_store *unused = let_go(snapshot);
  unlock_store();
  if (unused) free_version(unused);
}

int64_t mm_store_count(const mm_store *snapshot) { return snapshot ? snapshot->count : 0; }

int64_t mm_store_find(const mm_store *snapshot, const char *name) {
  bool found;
  int64_t at = place_of(snapshot, name, &found);
  return found ? at : -1;
}

/* A column may hold one block several times, as may its other holders. */
static int64_t other_holders(const mm_column *column) {
  const mm_block *blocks[] = {column->data_block, column->valid_block, column->offsets_block};
  int64_t most = 0;
  for (int i = 0; i < 3; i++) {
    if (!blocks[i]) continue;
    int64_t own = 0;
    for (int j = 0; j < 3; j++) own += blocks[j] == blocks[i];
    int64_t others = (block_references(blocks[i]) - 1) / own;
    if (others > most) most = others;
  }
  return most;
}

/* Snapshots that have an item, without the one that it is looked up in. */
static int64_t other_snapshots(const kept *item) {
  int64_t holders = -1;
  lock_store();
  for (const mm_store *version = versions; version; version = version->after) {
    bool found;
    int64_t at = place_of(version, item->name, &found);
    if (found && version->items[at] == item) holders += version->references - (version == current);
  }
  unlock_store();
  return holders;
}

void mm_store_at(const mm_store *snapshot, int64_t index, mm_store_entry *entry) {
  const kept *item = snapshot->items[index];
  entry->name = item->name;
  entry->column = &item->column;
  entry->bytes = item->bytes;
  entry->users = other_holders(&item->column) + other_snapshots(item);
}
