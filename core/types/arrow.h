/* arrow.h - what the files of the Arrow C data interface share.
 *
 * DESIGN. A column of a foreign type (nested, decimal, time of day ...) is MM_OPAQUE: the zone of its mm_type numbers a
 * schema that is copied once and kept for ever, `data` shows an mm_opaque, and `offsets_block` keeps the foreign array
 * alive (`offsets` is NULL). Its validity is that of any column.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "arrow_abi.h"
#include "internal.h"

enum { MM_ARROW_DEPTH = 64 }; /* levels of nesting that are accepted */

/* Is the schema whole, with all below it? Released, missing and too deep ones are refused. */
int mm_arrow_check(const struct ArrowSchema *schema, mm_error *error);
/* Do offsets, sizes, keys and runs of a foreign column, in rows start .. start + length - 1 and all that they reach, lie
 * within its children? Or MM_EDATA; `name` is for messages. */
int mm_arrow_check_nested(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t start,
                          int64_t length, const char *name, mm_error *error);
/* The type of a field; of its values when it is dictionary encoded. */
int mm_arrow_type(const struct ArrowSchema *field, mm_type *type, mm_error *error);
/* The same where it is a type of ours: 1; 0: it is a foreign one. */
int mm_arrow_native(const struct ArrowSchema *field, mm_type *type, mm_error *error);
/* The kept schema of an opaque type; NULL where there is none. */
const struct ArrowSchema *mm_arrow_kept(mm_type type);
/* The opaque type that is called so, if one was met; false: none was. */
int64_t mm_arrow_kept_bytes(void); /* of all of them */
bool mm_arrow_named(const char *name, mm_type *type);

enum { MM_FOREIGN_NAME = 64 }; /* bytes of the longest name, and a NUL */
/* What a foreign type is called, for people. */
void mm_foreign_name(const struct ArrowSchema *schema, char *text, int64_t size);
