/* stage.c - freeing stages and sources, whatever their kind.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

void mm_stage_free(mm_stage *stage) {
  if (stage) stage->vtable->free(stage);
}

void mm_source_free(mm_source *source) {
  if (source) source->vtable->free(source);
}
