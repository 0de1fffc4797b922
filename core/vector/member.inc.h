/* member.inc.h - IN for one type. Needs T, SUFFIX and KEY(x), the 64 bits that stand for a value in the set.
 * SPDX-License-Identifier: MIT */
static void PASTE(few, SUFFIX)(const mm_set *set, uint64_t *out, const T *values, int64_t words) {
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
static void PASTE(many, SUFFIX)(const mm_set *set, uint64_t *out, const T *values, int64_t words) {
  for (int64_t w = 0; w < words; w++) {
    uint64_t bits = 0;
    for (int i = 0; i < 64; i++) {
      uint64_t key = KEY(values[64 * w + i]), place = mm_set_place(set, key), found = set->table[place];
      while ((found != key) & (found != set->empty)) {
        place = mm_set_next(set, place);
        found = set->table[place];
      }
      bits |= (uint64_t)((found == key) & (key != set->empty)) << i;
    }
    out[w] = bits;
  }
}
static int PASTE(member, SUFFIX)(mm_lanes *lanes, mm_vector *dst, const mm_vector *va, const mm_vector *vb,
                                 const mm_vector *vc) {
  (void)vb, (void)vc;
  const mm_set *set = lanes->state;
  (set->count < 0 ? PASTE(many, SUFFIX) : PASTE(few, SUFFIX))(set, dst->data, va->data, mm_words(lanes->n));
  return 0;
}
#undef T
#undef SUFFIX
#undef KEY
