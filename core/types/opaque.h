/* opaque.h - columns of foreign types, and the register of those types.
 *
 * DESIGN. A column of a foreign type (nested, decimal, time of day ...) is MM_OPAQUE: the zone of its mm_type numbers a
 * schema that is copied once and kept for ever, with a name for people; `data` shows an opaque_value, and
 * `offsets_block` keeps the foreign array alive (`offsets` is NULL). Its validity is that of any column. What a schema
 * means is known to arrow/, which enters them here.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "arrow_abi.h"
#include "moonmill.h"

/* What `data` of an MM_OPAQUE column shows: a foreign array from row `start` on. `offsets_block` keeps the array
 * alive. */
typedef struct opaque_value {
  const struct ArrowArray *array;
  int64_t start;
} opaque_value;

enum { OPAQUE_NAME = 64 }; /* bytes of the longest name, and a NUL */

/* How a schema that is not known yet is entered: a copy into `to`, whose bytes are told. */
typedef int (*opaque_copier)(struct ArrowSchema *to, const struct ArrowSchema *from, int64_t *bytes, mm_error *error);
typedef bool (*opaque_equal)(const struct ArrowSchema *a, const struct ArrowSchema *b);
/* The number of a schema, which is the zone of its type; entered under `name` when none is equal. Or a status. */
int opaque_enter(const struct ArrowSchema *schema, const char *name, opaque_equal equal, opaque_copier copy,
                 mm_error *error);
/* The kept schema of an opaque type, and what it is called; NULL where there is none. */
const struct ArrowSchema *opaque_schema(mm_type type);
const char *opaque_name(mm_type type);
int64_t opaque_bytes(void); /* of all of them */
/* The opaque type that is called so, if one was met; false: none was. */
bool opaque_find(const char *name, mm_type *type);
