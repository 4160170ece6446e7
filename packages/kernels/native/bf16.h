// Rounding to bf16, the upper half of a float32: to nearest, ties to even, by integers alone. The processor's own
// instructions differ (AVX512-BF16 takes subnormal numbers for zeros). Every NaN becomes 0x7fc0, as PyTorch's
// c10/util/BFloat16.h has it; what is too large becomes infinity. A rounded float is still a float32.
#pragma once
#include <vector>
#include "lanes.h"

namespace lockstep {

INLINE float roundToBf16(float a) {
  uint32_t bits;
  memcpy(&bits, &a, 4);
  const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
  bits = (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : rounded;
  memcpy(&a, &bits, 4);
  return a;
}

#if defined(LOCKSTEP_ISA_AVX512)
INLINE R roundToBf16(R a) {
  const __m512i bits = _mm512_castps_si512(a);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i raised = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  const R rounded = _mm512_castsi512_ps(_mm512_and_si512(raised, _mm512_set1_epi32((int)0xffff0000)));
  return select(equal(a, a), rounded, _mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000)));
}
#elif defined(LOCKSTEP_ISA_AVX2)
INLINE R roundToBf16(R a) {
  const __m256i bits = _mm256_castps_si256(a);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i raised = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
  const R rounded = _mm256_castsi256_ps(_mm256_and_si256(raised, _mm256_set1_epi32((int)0xffff0000)));
  return select(equal(a, a), rounded, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000)));
}
#elif defined(LOCKSTEP_ISA_NEON)
INLINE R roundToBf16(R a) {
  const uint32x4_t bits = vreinterpretq_u32_f32(a);
  const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
  const uint32x4_t raised = vaddq_u32(vaddq_u32(bits, vdupq_n_u32(0x7fff)), odd);
  const R rounded = vreinterpretq_f32_u32(vandq_u32(raised, vdupq_n_u32(0xffff0000)));
  return select(equal(a, a), rounded, vreinterpretq_f32_u32(vdupq_n_u32(0x7fc00000)));
}
#elif defined(LOCKSTEP_ISA_WASM) || defined(LOCKSTEP_ISA_WASM_EXACT)
INLINE R roundToBf16(R a) {
  const v128_t odd = wasm_v128_and(wasm_u32x4_shr(a, 16), wasm_i32x4_splat(1));
  const v128_t raised = wasm_i32x4_add(wasm_i32x4_add(a, wasm_i32x4_splat(0x7fff)), odd);
  const R rounded = wasm_v128_and(raised, wasm_i32x4_splat((int)0xffff0000));
  return select(equal(a, a), rounded, wasm_i32x4_splat(0x7fc00000));
}
#endif

// Which floats of a contribution a recipe rounds in every partial of the canonical tree; none unless it asks for bf16.
class Rounding {
 public:
  void add(int64_t begin, int64_t end) { spans_.push_back({begin, end}); }
  bool isNone() const { return spans_.empty(); }
  // Rounds what it has of floats [offset, offset + length) of a partial; they stand at `values`.
  void apply(float* values, int64_t offset, int64_t length) const {
    for (const Span& span : spans_) {
      const int64_t begin = span.begin > offset ? span.begin - offset : 0;
      const int64_t end = span.end < offset + length ? span.end - offset : length;
      for (int64_t i = begin; i < end; i++) values[i] = roundToBf16(values[i]);
    }
  }

 private:
  struct Span {
    int64_t begin, end;
  };
  std::vector<Span> spans_;
};

}  // namespace lockstep
