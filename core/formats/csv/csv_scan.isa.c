/* csv_scan.isa.c - looking at CSV text 64 bytes at a time: row ends, field ends, quotes. Built once per instruction
 * set.
 *
 * DESIGN. Each comparison gives a word with a bit per byte. Whether a byte is within quotes is the parity of the quotes
 * up to it, which is a carry-less product with all ones. An opening quote must follow a delimiter, a row end or a
 * closing quote (then the two are one quote of the text); a closing one must be followed by a delimiter, a row end or
 * an opening quote. What follows neither rule is misplaced. Words without a quote take a shorter way.
 *
 * SPDX-License-Identifier: MIT */
#include "formats/csv/csv_scan.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

#define SCANNER_NAMED(isa) csv_scanner_##isa
#define SCANNER(isa) SCANNER_NAMED(isa)
#define TEXT_OF(isa) #isa
#define TEXT(isa) TEXT_OF(isa)

/* ---- A bit per byte ---- */

#ifdef __AVX2__
typedef struct word64 {
  __m256i low, high;
} word64;

static inline word64 load(const uint8_t *bytes) {
  return (word64){_mm256_loadu_si256((const __m256i *)(const void *)bytes),
                  _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32))};
}

static inline uint64_t equal(word64 word, uint8_t byte) {
  __m256i wanted = _mm256_set1_epi8((char)byte);
  uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(word.low, wanted));
  uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(word.high, wanted));
  return low | (uint64_t)high << 32;
}

static inline uint64_t either(word64 word, uint8_t one, uint8_t other) {
  __m256i a = _mm256_set1_epi8((char)one), b = _mm256_set1_epi8((char)other);
  __m256i low = _mm256_or_si256(_mm256_cmpeq_epi8(word.low, a), _mm256_cmpeq_epi8(word.low, b));
  __m256i high = _mm256_or_si256(_mm256_cmpeq_epi8(word.high, a), _mm256_cmpeq_epi8(word.high, b));
  return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}
#else
typedef struct word64 {
  uint64_t eight[8];
} word64;

static inline word64 load(const uint8_t *bytes) {
  word64 word;
  memcpy(word.eight, bytes, 64);
  return word;
}

/* The top bit of each byte that is zero, exactly, gathered into 8 bits by one multiplication. */
static inline uint64_t equal(word64 word, uint8_t byte) {
  const uint64_t seven = UINT64_C(0x7f7f7f7f7f7f7f7f);
  uint64_t mask = 0, wanted = UINT64_C(0x0101010101010101) * byte;
  for (int i = 0; i < 8; i++) {
    uint64_t eight;
    memcpy(&eight, &word.eight[i], 8);
    eight ^= wanted;
    uint64_t zero = ~(((eight & seven) + seven) | eight | seven) >> 7;
    mask |= (zero * UINT64_C(0x0102040810204080) >> 56) << (8 * i);
  }
  return mask;
}

static inline uint64_t either(word64 word, uint8_t one, uint8_t other) { return equal(word, one) | equal(word, other); }
#endif

/* Bit i of the result: parity of bits 0 .. i. */
static inline uint64_t parity(uint64_t bits) {
#ifdef __PCLMUL__
  __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)bits), _mm_set1_epi8(-1), 0);
  return (uint64_t)_mm_cvtsi128_si64(product);
#else
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
#endif
}

/* The place of the first set bit; anything when there is none. */
static inline int first(uint64_t bits) {
#ifdef __BMI__
  return (int)_tzcnt_u64(bits);
#else
  return __builtin_ctzll(bits | UINT64_C(1) << 63);
#endif
}

/* The place of set bit k, from 0. */
static inline int nth(uint64_t bits, int64_t k) {
  while (k-- > 0) bits &= bits - 1;
  return __builtin_ctzll(bits);
}

/* ---- Rows ---- */

/* Follow the quotes through a word of `n` bytes: row ends outside quotes in *ends, misplaced bytes in the result. */
static inline uint64_t follow(csv_row_scan *scan, const csv_dialect *dialect, word64 word, uint64_t quotes,
                              uint64_t present, int n, uint64_t *feeds) {
  uint64_t inside = parity(quotes) ^ scan->inside;
  uint64_t opening = quotes & inside, closing = quotes & ~inside;
  uint64_t ends = *feeds & ~inside;
  uint64_t separators = either(word, dialect->delimiter, '\n') & ~inside & present;
  uint64_t returns = equal(word, '\r') & present;
  uint64_t after_separator = separators << 1 | (scan->after & SCAN_SEPARATOR ? 1 : 0);
  uint64_t after_closing = closing << 1 | (scan->after & SCAN_CLOSED ? 1 : 0);
  uint64_t closed_return = returns & after_closing;
  uint64_t after_return = closed_return << 1 | (scan->after & SCAN_RETURN ? 1 : 0);
  uint64_t bad = (opening & ~(after_separator | after_closing))
                 | (after_closing & ~(separators | opening | closed_return) & present)
                 | (after_return & ~ends & present);
  uint64_t last = UINT64_C(1) << (n - 1);
  scan->after = (separators & last ? SCAN_SEPARATOR : 0) | (closing & last ? SCAN_CLOSED : 0)
                | (closed_return & last ? SCAN_RETURN : 0);
  scan->inside = inside & last ? ~UINT64_C(0) : 0;
  scan->quotes |= quotes != 0;
  *feeds = ends;
  return bad;
}

/* The state right after a row end. */
static inline void rest(csv_row_scan *scan, int64_t at) {
  scan->at = scan->row_start = at;
  scan->inside = 0;
  scan->after = SCAN_SEPARATOR;
}

/* One word of 1 to 64 bytes. true: stop. */
static inline bool look(csv_row_scan *scan, const csv_dialect *dialect, const uint8_t *text, int n) {
  word64 word = load(text + scan->at);
  uint64_t present = n == 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1;
  uint64_t feeds = equal(word, '\n') & present, ends = feeds, bad = 0;
  uint64_t quotes = dialect->quoting ? equal(word, dialect->quote) & present : 0;
  if (quotes | scan->inside | (scan->after & (SCAN_CLOSED | SCAN_RETURN))) {
    bad = follow(scan, dialect, word, quotes, present, n, &ends);
    if (bad) ends &= (bad & -bad) - 1;
  } else {
    uint8_t last = text[scan->at + n - 1];
    scan->after = last == '\n' || last == dialect->delimiter ? SCAN_SEPARATOR : 0;
  }
  int64_t found = __builtin_popcountll(ends);
  if (scan->rows + found >= scan->want) {
    int end = nth(ends, scan->want - scan->rows - 1);
    uint64_t seen = end == 63 ? ~UINT64_C(0) : (UINT64_C(2) << end) - 1;
    scan->inner += __builtin_popcountll(feeds & ~ends & seen);
    scan->rows = scan->want;
    rest(scan, scan->at + end + 1);
    return true;
  }
  if (ends) scan->row_start = scan->at + 64 - __builtin_clzll(ends);
  scan->inner += __builtin_popcountll(feeds & ~ends);
  scan->rows += found;
  if (bad) {
    scan->bad = scan->at + __builtin_ctzll(bad);
    return true;
  }
  scan->at += n;
  return false;
}

/* Many words without quotes: only row ends count. Leaves before a word with a quote, or that may complete the wanted
 * rows. */
static inline void skim(csv_row_scan *scan, const csv_dialect *dialect, const uint8_t *text, int64_t end) {
  int64_t at = scan->at, rows = scan->rows, start = scan->row_start, limit = scan->want - 64;
  uint8_t quote = dialect->quoting ? dialect->quote : '\n';
  while (at + 64 <= end && rows < limit) {
    word64 word = load(text + at);
    uint64_t feeds = equal(word, '\n');
    if (dialect->quoting && equal(word, quote)) break;
    start = feeds ? at + 64 - __builtin_clzll(feeds) : start;
    rows += __builtin_popcountll(feeds);
    at += 64;
  }
  if (at == scan->at) return;
  uint8_t last = text[at - 1];
  scan->after = last == '\n' || last == dialect->delimiter ? SCAN_SEPARATOR : 0;
  scan->at = at;
  scan->rows = rows;
  scan->row_start = start;
}

static bool rows(csv_row_scan *scan, const csv_dialect *dialect, const uint8_t *text, int64_t end) {
  while (scan->at < end) {
    if (!scan->inside && !(scan->after & (SCAN_CLOSED | SCAN_RETURN))) skim(scan, dialect, text, end);
    int64_t left = end - scan->at;
    if (left > 0 && look(scan, dialect, text, left < 64 ? (int)left : 64)) return true;
  }
  return false;
}

/* ---- Fields ---- */

/* The positions of the set bits. Writes in groups of 8, so that the number of bits costs few branches. */
static inline int64_t flatten(uint32_t *field_ends, uint64_t bits, uint32_t base) {
  int64_t count = __builtin_popcountll(bits);
  for (int64_t done = 0; done < count; done += 8)
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      field_ends[done + i] = base + (uint32_t)first(bits);
      bits &= bits - 1;
      __asm__("" ::: "memory"); /* eight scalar stores are faster than the vector that compilers make of them */
    }
  return count;
}

static inline int64_t index_fields(const csv_dialect *dialect, bool quotes, const uint8_t *text, int64_t size,
                                   int64_t bytes, int64_t count, uint32_t *field_ends, int64_t *newlines) {
  const int64_t far = 2 * (int64_t)CSV_ROW_LIMIT;
  int64_t found = 0, lines = 0;
  uint64_t inside = 0;
  for (int64_t at = 0; at < size && (at < bytes || (found < count && at < far)); at += 64) {
    word64 word = load(text + at);
    uint64_t present = size - at < 64 ? (UINT64_C(1) << (size - at)) - 1 : ~UINT64_C(0);
    if (quotes) {
      uint64_t within = parity(equal(word, dialect->quote) & present) ^ inside;
      inside = within >> 63 ? ~UINT64_C(0) : 0;
      present &= ~within;
    }
    lines += __builtin_popcountll(equal(word, '\n') & present);
    found += flatten(field_ends + found, either(word, dialect->delimiter, '\n') & present, (uint32_t)at);
  }
  *newlines = lines;
  return found;
}

static int64_t field_ends(const csv_dialect *dialect, bool quotes, const uint8_t *text, int64_t size, int64_t bytes,
                          int64_t count, uint32_t *field_ends_, int64_t *newlines) {
  return quotes ? index_fields(dialect, true, text, size, bytes, count, field_ends_, newlines)
                : index_fields(dialect, false, text, size, bytes, count, field_ends_, newlines);
}

/* ---- Traits ---- */

static int traits(const uint8_t *text, int64_t size) {
  uint8_t high = 0, returns = 0;
  for (int64_t i = 0; i < size; i++) {
    high |= text[i];
    returns |= text[i] == '\r';
  }
  return (high >> 7) | returns << 1;
}

extern const csv_scanner SCANNER(ISA);
const csv_scanner SCANNER(ISA) = {.isa = TEXT(ISA), .rows = rows, .field_ends = field_ends, .traits = traits};
