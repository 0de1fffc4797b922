/* opaque.c - foreign types, numbered and kept like zones.
 * SPDX-License-Identifier: MIT */
#include "types/opaque.h"
#include "base/alloc.h"
#include "base/error.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { KEPT = 4096 };
typedef struct kept_type {
  struct ArrowSchema schema;
  int64_t bytes; /* of the schema */
  char name[OPAQUE_NAME];
} kept_type;

static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static kept_type *kept[KEPT];
static int kept_count = 1; /* 0 is a foreign type of which no more is known */

static void hold_kept(void) { pthread_mutex_lock(&kept_lock); }
static void let_go_kept(void) { pthread_mutex_unlock(&kept_lock); }
__attribute__((constructor)) static void survive_forks(void) { pthread_atfork(hold_kept, let_go_kept, let_go_kept); }

static int keep_fresh(const struct ArrowSchema *schema, const char *name, opaque_copier copy, mm_error *error) {
  if (kept_count == KEPT) return error_fail(error, MM_ELIMIT, "limit", "more than %d foreign types", KEPT);
  kept_type *fresh = memory_allocate(sizeof *fresh);
  if (!fresh) return error_fail_memory(error, sizeof *fresh);
  int status = copy(&fresh->schema, schema, &fresh->bytes, error);
  if (status < 0) {
    memory_release(fresh, sizeof *fresh);
    return status;
  }
  snprintf(fresh->name, sizeof fresh->name, "%s", name);
  kept[kept_count] = fresh;
  return kept_count++;
}

int opaque_enter(const struct ArrowSchema *schema, const char *name, opaque_equal equal, opaque_copier copy,
                 mm_error *error) {
  pthread_mutex_lock(&kept_lock);
  int number = 1;
  while (number < kept_count && !equal(&kept[number]->schema, schema)) number++;
  if (number == kept_count) number = keep_fresh(schema, name, copy, error);
  pthread_mutex_unlock(&kept_lock);
  return number;
}

static const kept_type *find_kept(mm_type type) {
  pthread_mutex_lock(&kept_lock);
  const kept_type *found = type.zone < kept_count ? kept[type.zone] : NULL;
  pthread_mutex_unlock(&kept_lock);
  return found;
}

const struct ArrowSchema *opaque_schema(mm_type type) {
  const kept_type *found = find_kept(type);
  return found ? &found->schema : NULL;
}

const char *opaque_name(mm_type type) {
  const kept_type *found = find_kept(type);
  return found ? found->name : NULL;
}

int64_t opaque_bytes(void) {
  int64_t bytes = 0;
  pthread_mutex_lock(&kept_lock);
  for (int i = 1; i < kept_count; i++) bytes += (int64_t)sizeof *kept[i] + kept[i]->bytes;
  pthread_mutex_unlock(&kept_lock);
  return bytes;
}

bool opaque_find(const char *name, mm_type *type) {
  *type = (mm_type){.id = MM_OPAQUE, .zone = 1};
  for (const char *known; (known = opaque_name(*type)); type->zone++)
    if (strcmp(known, name) == 0) return true;
  return false;
}
