/* arrow_schema.c - schemas out and in.
 * SPDX-License-Identifier: MIT */
#include "arrow/arrow_schema.h"
#include "arrow/arrow_format.h"
#include "arrow/foreign.h"
#include "base/alloc.h"
#include "base/error.h"
#include "types/opaque.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* ---- Building schemas: the structs of one level are one allocation ---- */

typedef struct node {
  char *format, *name, *metadata;
  int64_t metadata_size, size; /* `size`: of this node with what follows it */
  struct ArrowSchema **pointers;
  struct ArrowSchema structs[]; /* children, then the dictionary; the pointers stand behind them */
} node;

static void release_node(struct ArrowSchema *schema) {
  node *n = schema->private_data;
  int64_t count = schema->n_children + (schema->dictionary != NULL);
  for (int64_t i = 0; i < count; i++)
    if (n->structs[i].release) n->structs[i].release(&n->structs[i]);
  if (n->format) memory_release(n->format, (int64_t)strlen(n->format) + 1);
  if (n->name) memory_release(n->name, (int64_t)strlen(n->name) + 1);
  memory_release(n->metadata, n->metadata_size);
  memory_release(n, n->size);
  schema->release = NULL;
}

/* Key-value pairs behind a count, each text behind its length. 0: there are none, or they make no sense. */
static int64_t metadata_size(const char *metadata) {
  if (!metadata) return 0;
  int32_t pairs, length;
  memcpy(&pairs, metadata, 4);
  int64_t size = 4;
  for (int64_t i = 0; i < 2 * (int64_t)pairs; i++) {
    memcpy(&length, metadata + size, 4);
    if (length < 0) return 0;
    size += 4 + length;
  }
  return pairs > 0 ? size : 0;
}

static int build_schema(struct ArrowSchema *to, const char *format, const char *name, const char *metadata,
                        int64_t flags, int64_t children, bool dictionary, mm_error *error) {
  int64_t count = children + dictionary;
  int64_t size = (int64_t)sizeof(node) + count * (int64_t)(sizeof(struct ArrowSchema) + sizeof(struct ArrowSchema *));
  node *n = memory_allocate_zero(size);
  if (!n) return error_fail_memory(error, size);
  n->size = size;
  n->pointers = (struct ArrowSchema **)(n->structs + count);
  for (int64_t i = 0; i < count; i++) n->pointers[i] = &n->structs[i];
  *to = (struct ArrowSchema){.flags = flags, .n_children = children, .release = release_node, .private_data = n};
  to->children = children ? n->pointers : NULL;
  to->dictionary = dictionary ? n->pointers[children] : NULL;
  n->metadata_size = metadata_size(metadata);
  to->format = n->format = memory_copy_text(format);
  to->name = n->name = memory_copy_text(name);
  if (n->metadata_size) to->metadata = n->metadata = memory_allocate(n->metadata_size);
  if (metadata && n->metadata) memcpy(n->metadata, metadata, (size_t)n->metadata_size);
  if (n->format && n->name && (n->metadata || !n->metadata_size)) return 0;
  release_node(to);
  return error_fail_memory(error, size);
}

static int copy_schema(struct ArrowSchema *to, const struct ArrowSchema *from, const char *name, int64_t flags,
                       mm_error *error) {
  TRY(build_schema(to, from->format, name, from->metadata, flags, from->n_children, from->dictionary != NULL, error));
  node *n = to->private_data;
  int status = 0;
  for (int64_t i = 0; i < from->n_children && status >= 0; i++) {
    const struct ArrowSchema *child = from->children[i];
    status = copy_schema(&n->structs[i], child, child->name ? child->name : "", child->flags, error);
  }
  if (from->dictionary && status >= 0)
    status = copy_schema(to->dictionary, from->dictionary, "", from->dictionary->flags, error);
  if (status < 0) release_node(to);
  return status;
}

/* ---- Foreign types ---- */

static bool same_text(const char *a, const char *b) { return strcmp(a ? a : "", b ? b : "") == 0; }

/* Equal but for the name and the nullability of the top level. */
static bool same_schema(const struct ArrowSchema *a, const struct ArrowSchema *b) {
  int64_t size = metadata_size(a->metadata);
  if (!same_text(a->format, b->format) || a->n_children != b->n_children || !a->dictionary != !b->dictionary)
    return false;
  if ((a->flags | ARROW_FLAG_NULLABLE) != (b->flags | ARROW_FLAG_NULLABLE)) return false;
  if (size != metadata_size(b->metadata) || (size && memcmp(a->metadata, b->metadata, (size_t)size) != 0)) return false;
  if (a->dictionary && !same_schema(a->dictionary, b->dictionary)) return false;
  for (int64_t i = 0; i < a->n_children; i++) {
    const struct ArrowSchema *x = a->children[i], *y = b->children[i];
    if (!same_text(x->name, y->name) || x->flags != y->flags || !same_schema(x, y)) return false;
  }
  return true;
}

static int64_t node_bytes(const struct ArrowSchema *schema) {
  const node *n = schema->private_data;
  int64_t bytes = n->size + (int64_t)strlen(n->format) + (int64_t)strlen(n->name) + 2 + n->metadata_size;
  int64_t count = schema->n_children + (schema->dictionary != NULL);
  for (int64_t i = 0; i < count; i++) bytes += node_bytes(&n->structs[i]);
  return bytes;
}

static int copy_kept(struct ArrowSchema *to, const struct ArrowSchema *from, int64_t *bytes, mm_error *error) {
  TRY(copy_schema(to, from, "", from->flags, error));
  *bytes = node_bytes(to);
  return 0;
}

int arrow_type_of(const struct ArrowSchema *field, mm_type *type, mm_error *error) {
  TRY(arrow_check_schema(field, error));
  int native = arrow_native_type(field, type, error);
  if (native != 0) return native < 0 ? native : 0;
  char name[OPAQUE_NAME];
  foreign_name(field, name, sizeof name);
  int number = opaque_enter(field, name, same_schema, copy_kept, error);
  TRY(number);
  *type = (mm_type){.id = MM_OPAQUE, .zone = (uint16_t)number};
  return 0;
}

/* ---- Out and in ---- */

static int export_field(struct ArrowSchema *to, const mm_field *field, mm_error *error) {
  char format[128] = "";
  int64_t flags = field->nullable ? ARROW_FLAG_NULLABLE : 0;
  if (field->type.id == MM_OPAQUE) {
    const struct ArrowSchema *foreign = opaque_schema(field->type);
    if (!foreign)
      return error_fail(error, MM_EBUG, "bad-schema", "column %s: nothing is known of its type", field->name);
    return copy_schema(to, foreign, field->name, (foreign->flags & ~(int64_t)ARROW_FLAG_NULLABLE) | flags, error);
  }
  TRY(arrow_format_of(field, format, sizeof format, error));
  if (field->type.id == MM_NULL) flags |= ARROW_FLAG_NULLABLE;
  return build_schema(to, format, field->name, NULL, flags, 0, false, error);
}

int mm_arrow_export_schema(const mm_schema *schema, struct ArrowSchema *to, mm_error *error) {
  TRY(build_schema(to, "+s", "", NULL, 0, schema->count, false, error));
  node *n = to->private_data;
  for (int32_t i = 0; i < schema->count; i++) {
    int status = export_field(&n->structs[i], &schema->fields[i], error);
    if (status < 0) {
      release_node(to);
      return status;
    }
  }
  return 0;
}

int mm_arrow_import_schema(const struct ArrowSchema *from, mm_schema *to, mm_error *error) {
  TRY(arrow_check_schema(from, error));
  if (strcmp(from->format, "+s") != 0)
    return error_fail(error, MM_EDATA, "bad-arrow", "Arrow data must be a struct of columns, not \"%.32s\"",
                      from->format);
  for (int64_t i = 0; i < from->n_children; i++) {
    const struct ArrowSchema *child = from->children[i];
    mm_type type;
    int status = arrow_type_of(child, &type, error);
    if (status >= 0)
      status = mm_schema_add(to, child->name ? child->name : "", type, child->flags & ARROW_FLAG_NULLABLE, error);
    if (status < 0) {
      mm_schema_free(to);
      return status;
    }
  }
  return 0;
}
