/* text_concat_replace.c - texts made of texts: concat, replace, repeat. A result beyond TEXT_MAX bytes fails its lane.
 * SPDX-License-Identifier: MIT */
#include "kernels/text/text_bytes.h"
#include "kernels/text/text_kernel.h"
#include <string.h>

enum { TEXT_MAX = INT32_MAX }; /* what a column's offsets can say */

static inline void fail_lane(kernel_lanes *lanes, int64_t i, int *failed) {
  lane_fail(lanes, i);
  *failed = 1;
}

static int concat(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                  const lane_vector *c) {
  (void)c;
  const text_view *x = a->data, *y = b->data;
  text_view *out = clear_views(lanes, dst);
  int64_t total = 0;
  EACH_WANTED(lanes, dst->valid, i) total += x[i].size + y[i].size;
  uint8_t *to = lanes_allocate(lanes, total);
  if (!to) return MM_ENOMEM;
  int failed = 0;
  EACH_WANTED(lanes, dst->valid, i) {
    uint8_t *start = to;
    to = put_bytes(to, x[i].bytes, x[i].size);
    to = put_bytes(to, y[i].bytes, y[i].size);
    out[i] = (text_view){start, to - start};
    if (to - start > TEXT_MAX) fail_lane(lanes, i, &failed);
  }
  return failed;
}

static inline text_view text_after(text_view text, int64_t bytes) {
  return (text_view){text.bytes + bytes, text.size - bytes};
}

static int64_t occurrences(text_view text, text_view part) {
  int64_t count = 0, at;
  if (part.size == 0) return 0; /* the empty text is not looked for */
  for (; (at = text_find(text, part)) >= 0; text = text_after(text, at + part.size)) count++;
  return count;
}

/* At most `count` times: foreign bytes may have changed since the parts were counted. */
static uint8_t *put_replaced(uint8_t *to, text_view text, text_view part, text_view by, int64_t count) {
  for (int64_t at; count-- > 0 && (at = text_find(text, part)) >= 0;) {
    to = put_bytes(to, text.bytes, at);
    to = put_bytes(to, by.bytes, by.size);
    text = text_after(text, at + part.size);
  }
  return put_bytes(to, text.bytes, text.size);
}

static int replace_text(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                        const lane_vector *c) {
  const text_view *x = a->data, *part = b->data, *by = c->data;
  text_view *out = clear_views(lanes, dst);
  int failed = 0;
  EACH_WANTED(lanes, dst->valid, i) {
    out[i] = x[i];
    int64_t count = occurrences(x[i], part[i]), size;
    if (count == 0) continue;
    if (__builtin_mul_overflow(count, by[i].size - part[i].size, &size) || (size += x[i].size) > TEXT_MAX) {
      fail_lane(lanes, i, &failed);
      continue;
    }
    uint8_t *to = lanes_allocate(lanes, size > x[i].size ? size : x[i].size);
    if (!to) return MM_ENOMEM;
    out[i] = (text_view){to, put_replaced(to, x[i], part[i], by[i], count) - to};
  }
  return failed;
}

/* Copies double in length, so that they are few. */
static void put_repeated(uint8_t *to, text_view text, int64_t size) {
  memcpy(to, text.bytes, (size_t)text.size);
  for (int64_t done = text.size; done < size;) {
    int64_t n = done < size - done ? done : size - done;
    memcpy(to + done, to, (size_t)n);
    done += n;
  }
}

static int repeat(kernel_lanes *lanes, lane_vector *dst, const lane_vector *a, const lane_vector *b,
                  const lane_vector *c) {
  (void)c;
  const text_view *x = a->data;
  const int64_t *times = b->data;
  text_view *out = clear_views(lanes, dst);
  int failed = 0;
  EACH_WANTED(lanes, dst->valid, i) {
    int64_t size;
    out[i] = (text_view){x[i].bytes, 0};
    if (times[i] <= 0 || x[i].size == 0) continue;
    if (__builtin_mul_overflow(x[i].size, times[i], &size) || size > TEXT_MAX) {
      fail_lane(lanes, i, &failed);
      continue;
    }
    uint8_t *to = lanes_allocate(lanes, size);
    if (!to) return MM_ENOMEM;
    put_repeated(to, x[i], size);
    out[i] = (text_view){to, size};
  }
  return failed;
}

static const kernel_entry entries[] = {
    {OP_CONCAT, MM_UTF8, MM_NULL, concat, NULL},        {OP_CONCAT, MM_BINARY, MM_NULL, concat, NULL},
    {OP_REPLACE, MM_UTF8, MM_NULL, replace_text, NULL}, {OP_REPLACE, MM_BINARY, MM_NULL, replace_text, NULL},
    {OP_REPEAT, MM_UTF8, MM_NULL, repeat, NULL},        {OP_REPEAT, MM_BINARY, MM_NULL, repeat, NULL},
};

kernel_function text_concat_replace_kernels(const kernel_key *key) {
  return kernel_table_find(KERNEL_TABLE(entries), key);
}
