// The transform of an input tile, shared by Winograd's forward and weight gradient.
#pragma once
#include "lanes.h"

namespace lockstep {

constexpr int POSITIONS = 36;  // of a 6x6 tile

// B^T d for six values
INLINE void transformInput(R d0, R d1, R d2, R d3, R d4, R d5, R t[6]) {
  const R four = splat(4), minusFive = splat(-5), minusFour = splat(-4), two = splat(2), minusTwo = splat(-2);
  t[0] = fma(four, d0, fma(minusFive, d2, d4));
  const R a = fma(minusFour, d2, d4), b = fma(minusFour, d1, d3);
  t[1] = add(a, b), t[2] = sub(a, b);
  const R c = sub(d4, d2), e = sub(d3, d1);
  t[3] = fma(two, e, c), t[4] = fma(minusTwo, e, c);
  t[5] = fma(four, d1, fma(minusFive, d3, d5));
}

// ---- input transform of one tile and channel: V[position] = B^T d B ----

// The six values of line `y` of B^T d, one per column: rows are combined as transformInput says, row by row of its result.
template <int Y>
INLINE void columnCombination(const float* d, int64_t row, R out[6]) {
  const R four = splat(4), minusFive = splat(-5);
  UNROLL for (int x = 0; x < 6; x++) {
    const float* p = d + x * BLOCK;
    if constexpr (Y == 0) out[x] = fma(four, load(p), fma(minusFive, load(p + 2 * row), load(p + 4 * row)));
    if constexpr (Y == 5) out[x] = fma(four, load(p + row), fma(minusFive, load(p + 3 * row), load(p + 5 * row)));
  }
}

INLINE void storeLine(const R line[6], float* v, int64_t step) {
  R t[6];
  transformInput(line[0], line[1], line[2], line[3], line[4], line[5], t);
  UNROLL for (int x = 0; x < 6; x++) store(v + x * step, t[x]);
}

// Lines 1 and 2, or 3 and 4, come as sum and difference of the same two terms.
template <bool OUTER>
INLINE void storePair(const float* d, int64_t row, float* v, int64_t step) {
  R plus[6], minus[6];
  UNROLL for (int x = 0; x < 6; x++) {
    const float* p = d + x * BLOCK;
    const R d1 = load(p + row), d2 = load(p + 2 * row), d3 = load(p + 3 * row), d4 = load(p + 4 * row);
    if constexpr (OUTER) {
      const R c = sub(d4, d2), e = sub(d3, d1);
      plus[x] = fma(splat(2), e, c), minus[x] = fma(splat(-2), e, c);
    } else {
      const R a = fma(splat(-4), d2, d4), b = fma(splat(-4), d1, d3);
      plus[x] = add(a, b), minus[x] = sub(a, b);
    }
  }
  storeLine(plus, v, step);
  storeLine(minus, v + 6 * step, step);
}

// Lines of a tile that are found together, from the same terms: line 0, lines 1 and 2, 3 and 4, line 5; or all of them.
constexpr int ALL_LINES = 4;
constexpr int FIRST_LINE[] = {0, 1, 3, 5, 0}, LINES[] = {1, 2, 2, 1, 6};

// One tile of one channel, a band of its lines: to v[position of the band * step].
template <int BAND>
INLINE void transformLines(const float* d, int64_t row, float* v, int64_t step) {
  if constexpr (BAND == 1 || BAND == 2) {
    storePair<BAND == 2>(d, row, v, step);
  } else {
    R line[6];
    columnCombination<FIRST_LINE[BAND]>(d, row, line);
    storeLine(line, v, step);
  }
}

// Not part of a loop over tiles, for whose pointers there would be no registers.
template <>
[[gnu::noinline]] inline void transformLines<ALL_LINES>(const float* d, int64_t row, float* v, int64_t step) {
  transformLines<0>(d, row, v, step);
  transformLines<1>(d, row, v + 6 * step, step);
  transformLines<2>(d, row, v + 18 * step, step);
  transformLines<3>(d, row, v + 30 * step, step);
}

}  // namespace lockstep
