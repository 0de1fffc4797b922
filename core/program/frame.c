/* frame.c - the registers of one worker: binding them to columns, packing them when few lanes are left.
 * SPDX-License-Identifier: MIT */
#include "program/frame.h"
#include "base/alloc.h"
#include "base/error.h"
#include "kernels/dispatch.h"
#include "kernels/text/text_offsets.h"
#include "types/type.h"
#include <string.h>
#if ASAN_BUILD
#include <sanitizer/asan_interface.h>
#endif

/* Behind the slots there are the lists of lanes. A run of a few rows makes a frame, so they are one allocation. */
enum {
  SELECTED = RED_ZONE,
  BAD = SELECTED + VECTOR_WORDS * 8 + RED_ZONE,
  INDEX = BAD + VECTOR_WORDS * 8 + RED_ZONE,
  LISTS_BYTES = INDEX + MM_VECTOR * sizeof(uint16_t)
};

static int64_t lists_at(const mm_program *program) { return (program->frame_size + 64 + 63) / 64 * 64; }
static int64_t slots_bytes(const mm_program *program) { return lists_at(program) + LISTS_BYTES; }

/* Whoever writes behind a list, or the data or the validity of a register, is found by AddressSanitizer. */
static void guard_slots(const program_frame *frame) {
#if ASAN_BUILD
  for (int32_t r = 0; r < frame->program->register_count; r++) {
    const program_register *reg = &frame->program->registers[r];
    if (reg->home < 0) continue;
    uint8_t *end = frame->slots + reg->home + reg->room;
    __asan_poison_memory_region(end, RED_ZONE);
    __asan_poison_memory_region(end + RED_ZONE + VECTOR_WORDS * 8, RED_ZONE);
  }
  __asan_poison_memory_region((uint8_t *)frame->selected - RED_ZONE, RED_ZONE);
  __asan_poison_memory_region((uint8_t *)frame->bad - RED_ZONE, RED_ZONE);
  __asan_poison_memory_region((uint8_t *)frame->index - RED_ZONE, RED_ZONE);
#else
  (void)frame;
#endif
}

/* The allocator may write what it gets back. */
static void unguard_slots(const program_frame *frame) {
#if ASAN_BUILD
  if (frame->slots) __asan_unpoison_memory_region(frame->slots, (size_t)slots_bytes(frame->program));
#else
  (void)frame;
#endif
}

program_frame *frame_new(const mm_program *program, mm_error *error) {
  int64_t vectors = (program->register_count + 1) * (int64_t)sizeof(lane_vector);
  program_frame *frame = memory_allocate_zero((int64_t)sizeof *frame);
  if (frame) {
    frame->program = program;
    frame->vectors = memory_allocate_zero(vectors);
    frame->slots = memory_allocate_zero(slots_bytes(program));
    frame->direct = memory_allocate_zero((program->register_count + 1) * (int64_t)sizeof(void *));
  }
  if (!frame || !frame->vectors || !frame->slots || !frame->direct) {
    frame_free(frame);
    error_fail_memory(error, program->frame_size);
    return NULL;
  }
  uint8_t *lists = frame->slots + lists_at(program);
  frame->selected = (uint64_t *)(void *)(lists + SELECTED);
  frame->bad = (uint64_t *)(void *)(lists + BAD);
  frame->index = (uint16_t *)(void *)(lists + INDEX);
  guard_slots(frame);
  for (int32_t i = 0; i < program->register_count; i++)
    if (program->registers[i].constant) frame->vectors[i] = program->registers[i].vector;
  return frame;
}

void frame_free(program_frame *frame) {
  if (!frame) return;
  arena_free(&frame->arena);
  memory_release(frame->vectors, (frame->program->register_count + 1) * (int64_t)sizeof(lane_vector));
  unguard_slots(frame);
  memory_release(frame->slots, slots_bytes(frame->program));
  memory_release(frame->direct, (frame->program->register_count + 1) * (int64_t)sizeof(void *));
  memory_release(frame, (int64_t)sizeof *frame);
}

/* ---- Slots ---- */

static void *home_data(const program_frame *frame, int32_t r) {
  return frame->slots + frame->program->registers[r].home;
}

static uint64_t *home_valid(const program_frame *frame, int32_t r) {
  const program_register *reg = &frame->program->registers[r];
  return (uint64_t *)(void *)(frame->slots + reg->home + reg->room + RED_ZONE);
}

lane_vector *frame_home(program_frame *frame, int32_t r) {
  frame->vectors[r] = (lane_vector){frame->direct[r] ? frame->direct[r] : home_data(frame, r), home_valid(frame, r)};
  return &frame->vectors[r];
}

/* ---- Loads ---- */

static bool aligned(const void *p, int64_t width) { return ((uintptr_t)p & (uintptr_t)(width - 1)) == 0; }

/* Bits of rows from `start`: in place where they can be read as words, else copied to `home`. */
static uint64_t *load_bits(const uint64_t *bits, int64_t start, int32_t n, uint64_t *home) {
  const uint8_t *at = (const uint8_t *)bits + start / 8;
  if (aligned(at, 8)) return (uint64_t *)(uintptr_t)at;
  bits_copy(home, at, 0, n);
  return home;
}

static void gather_bits(uint64_t *to, const uint64_t *bits, int64_t start, const uint16_t *index, int32_t n) {
  const uint8_t *bytes = (const uint8_t *)bits;
  memset(to, 0, (size_t)bit_words(n) * 8);
  for (int32_t i = 0; i < n; i++) {
    int64_t row = start + index[i];
    to[i >> 6] |= (uint64_t)(bytes[row >> 3] >> (row & 7) & 1) << (i & 63);
  }
}

static void load_views(text_view *to, const mm_column *column, int64_t start, int32_t n) {
  texts_view(to, column->data, column->offsets + start, n);
  for (int32_t i = n; i & 63; i++) to[i] = (text_view){0};
}

static void gather_views(text_view *to, const mm_column *column, int64_t start, const uint16_t *index, int32_t n) {
  const int32_t *offsets = column->offsets + start;
  const uint8_t *bytes = column->data;
  for (int32_t i = 0; i < n; i++)
    to[i] = (text_view){bytes + offsets[index[i]], offsets[index[i] + 1] - offsets[index[i]]};
  for (int32_t i = n; i & 63; i++) to[i] = (text_view){0};
}

#define GATHER(width, ctype)                                                                                           \
  static void gather_##width(void *to, const void *from, const uint16_t *index, int32_t n) {                           \
    ctype *out = to;                                                                                                   \
    const uint8_t *x = from;                                                                                           \
    for (int32_t i = 0; i < n; i++) memcpy(&out[i], x + (int64_t)index[i] * width, width);                             \
  }
GATHER(1, uint8_t)
GATHER(2, uint16_t)
GATHER(4, uint32_t)
GATHER(8, uint64_t)

static void gather_values(void *to, const void *from, int64_t width, const uint16_t *index, int32_t n) {
  switch (width) {
  case 1: gather_1(to, from, index, n); break;
  case 2: gather_2(to, from, index, n); break;
  case 4: gather_4(to, from, index, n); break;
  default: gather_8(to, from, index, n); break;
  }
}

/* Values of rows from `start`: in place when whole words of lanes may be read there, else copied. */
static void *load_values(const uint8_t *values, int64_t width, int32_t n, void *home) {
  if (n % 64 == 0 && aligned(values, width)) return (void *)(uintptr_t)values;
  memcpy(home, values, (size_t)(n * width));
  memset((uint8_t *)home + n * width, 0, (size_t)((-n & 63) * width));
  return home;
}

static void load_data(program_frame *frame, lane_vector *v, const mm_column *column, int64_t start) {
  int type = type_storage(column->type.id);
  int64_t width = mm_type_width(column->type);
  const uint16_t *index = frame->packed ? frame->index : NULL;
  if (type == MM_UTF8) {
    if (index) gather_views(v->data, column, start, index, frame->n);
    else load_views(v->data, column, start, frame->n);
  } else if (type == MM_BOOL) {
    if (index) gather_bits(v->data, column->data, start, index, frame->n);
    else v->data = load_bits(column->data, start, frame->n, v->data);
  } else if (width > 0) {
    const uint8_t *values = (const uint8_t *)column->data + start * width;
    if (index) gather_values(v->data, values, width, index, frame->n);
    else v->data = load_values(values, width, frame->n, v->data);
  }
}

void frame_load(program_frame *frame, const program_step *step, const mm_column *column, int64_t start) {
  lane_vector *v = frame_home(frame, step->instr.dst);
  load_data(frame, v, column, start);
  if (column->type.id == MM_NULL) {
    memset(v->valid, 0, VECTOR_WORDS * 8);
  } else if (!column->valid) {
    v->valid = NULL;
  } else {
    if (frame->packed) gather_bits(v->valid, column->valid, start, frame->index, frame->n);
    else v->valid = load_bits(column->valid, start, frame->n, v->valid);
    if (bits_all(v->valid, frame->n)) v->valid = NULL;
  }
}

/* ---- Packing ---- */

static void pack_register(program_frame *frame, int32_t r) {
  lane_vector *v = &frame->vectors[r];
  int64_t width = register_bytes(frame->program->types[r].id, 64) / 64;
  void *data = home_data(frame, r);
  uint64_t *valid = home_valid(frame, r);
  if (frame->program->types[r].id == MM_BOOL) compress_bits(data, 0, v->data, frame->selected, frame->n);
  else if (width > 0) compress_values(data, v->data, frame->selected, frame->n, width);
  if (v->valid) compress_bits(valid, 0, v->valid, frame->selected, frame->n);
  *v = (lane_vector){data, v->valid ? valid : NULL};
}

static void pack_index(program_frame *frame) {
  int32_t filled = 0;
  for (int32_t w = 0; w < bit_words(frame->n); w++)
    for (uint64_t bits = frame->selected[w]; bits; bits &= bits - 1) {
      int32_t lane = 64 * w + __builtin_ctzll(bits);
      frame->index[filled++] = frame->packed ? frame->index[lane] : (uint16_t)lane;
    }
}

void frame_pack(program_frame *frame, int32_t step, int32_t count) {
  for (int32_t r = 0; r < frame->program->register_count; r++) {
    const program_register *reg = &frame->program->registers[r];
    if (!reg->constant && reg->defined < step && reg->last > step) pack_register(frame, r);
  }
  pack_index(frame);
  frame->packed = true;
  frame->n = count;
  frame->selection = NULL;
}
