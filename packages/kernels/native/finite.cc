#include "finite.h"

#include <string.h>

namespace lockstep {

namespace {

// A float without its sign, as an integer, is at least this if and only if it is not finite: all bits of the exponent.
constexpr uint32_t INFINITE = 0x7f800000;

inline uint32_t magnitude(const float* value) {
  uint32_t bits;
  memcpy(&bits, value, sizeof bits);
  return bits & 0x7fffffff;
}

}  // namespace

int64_t findNotFinite(const float* values, int64_t length) {
  // one pass without a branch over each piece, and a second over the piece that has one
  constexpr int64_t PIECE = 4096;
  for (int64_t begin = 0; begin < length; begin += PIECE) {
    const int64_t end = begin + PIECE < length ? begin + PIECE : length;
    uint32_t largest = 0;
    for (int64_t i = begin; i < end; i++) {
      const uint32_t m = magnitude(values + i);
      largest = m > largest ? m : largest;
    }
    if (largest < INFINITE) continue;
    for (int64_t i = begin; i < end; i++) {
      if (magnitude(values + i) >= INFINITE) return i;
    }
  }
  return -1;
}

}  // namespace lockstep
