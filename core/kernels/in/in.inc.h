/* in.inc.h - IN for one type. Needs T, SUFFIX and KEY(x), the 64 bits that stand for a value in the set.
 * SPDX-License-Identifier: MIT */
static void PASTE(few, SUFFIX)(const in_set *set, uint64_t *out, const T *values, int64_t words) {
  for (int64_t w = 0; w < words; w++) {
    const T *x = values + 64 * w;
    uint8_t flags[64] = {0};
    for (int k = 0; k < set->count; k++) {
      T value;
      memcpy(&value, &set->few[k], sizeof value);
      for (int i = 0; i < 64; i++) flags[i] |= x[i] == value ? 0xFF : 0;
    }
    out[w] = pack_flags(flags);
  }
}
static void PASTE(span, SUFFIX)(const in_set *set, uint64_t *out, const T *values, int64_t words) {
  const uint64_t *table = set->table, base = set->base, span = set->span;
  for (int64_t w = 0; w < words; w++) {
    uint64_t bits = 0;
    for (int i = 0; i < 64; i++) {
      uint64_t place = KEY(values[64 * w + i]) - base, inside = place <= span;
      place = inside ? place : 0;
      bits |= (table[place >> 6] >> (place & 63) & inside) << i;
    }
    out[w] = bits;
  }
}
static void PASTE(apart, SUFFIX)(const in_set *set, uint64_t *out, const T *values, int64_t words) {
  for (int64_t w = 0; w < words; w++) {
    uint64_t bits = 0;
    for (int i = 0; i < 64; i++) {
      uint64_t key = KEY(values[64 * w + i]), found = set->table[in_set_slot(set, key)];
      bits |= (uint64_t)((found == key) & (key != set->empty)) << i;
    }
    out[w] = bits;
  }
}
static void PASTE(hashed, SUFFIX)(const in_set *set, uint64_t *out, const T *values, int64_t words) {
  for (int64_t w = 0; w < words; w++) {
    uint64_t bits = 0;
    for (int i = 0; i < 64; i++) {
      uint64_t key = KEY(values[64 * w + i]), place = in_set_slot(set, key), found = set->table[place];
      while ((found != key) & (found != set->empty)) {
        place = in_set_next_slot(set, place);
        found = set->table[place];
      }
      bits |= (uint64_t)((found == key) & (key != set->empty)) << i;
    }
    out[w] = bits;
  }
}
static int PASTE(member, SUFFIX)(kernel_lanes *lanes, lane_vector *dst, const lane_vector *va, const lane_vector *vb,
                                 const lane_vector *vc) {
  (void)vb, (void)vc;
  const in_set *set = lanes->state;
  int64_t words = bit_words(lanes->n);
  if (set->kind == SET_FEW) PASTE(few, SUFFIX)(set, dst->data, va->data, words);
  else if (set->kind == SET_SPAN) PASTE(span, SUFFIX)(set, dst->data, va->data, words);
  else if (set->apart) PASTE(apart, SUFFIX)(set, dst->data, va->data, words);
  else PASTE(hashed, SUFFIX)(set, dst->data, va->data, words);
  return 0;
}
#undef T
#undef SUFFIX
#undef KEY
