// One vector register of floats, for each instruction set. Kernels are written once against this page.
//
// A block is 16 samples; every tensor keeps them innermost, so each 16 floats are one element of 16 samples. A register
// holds LR of these lanes (16, 8 or 4) and a kernel visits the 16/LR parts of an element one after the other. A lane
// never meets another lane but in laneSum, so its chain of operations does not depend on LR: that is what makes the
// bits of all builds equal. Multiply-adds are explicit; the compiler may not contract (-ffp-contract=off).
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(LOCKSTEP_ISA_AVX512) || defined(LOCKSTEP_ISA_AVX2)
#include <immintrin.h>
#elif defined(LOCKSTEP_ISA_NEON)
#include <arm_neon.h>
#elif defined(LOCKSTEP_ISA_WASM) || defined(LOCKSTEP_ISA_WASM_EXACT)
#include <wasm_simd128.h>
#else
#error "define LOCKSTEP_ISA_AVX512, LOCKSTEP_ISA_AVX2, LOCKSTEP_ISA_NEON, LOCKSTEP_ISA_WASM or LOCKSTEP_ISA_WASM_EXACT"
#endif

#define INLINE static inline __attribute__((always_inline))
#define INLINE_MEMBER inline __attribute__((always_inline))
#define INLINE_LAMBDA __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif
// Makes the compiler forget what it knows of a pointer: without it GCC keeps input registers alive over the taps of a
// convolution and spills accumulators (13 to 15% of a step).
#define HIDE(pointer) asm volatile("" : "+r"(pointer))
// Keeps a loaded value in a register: without it GCC loads it again as the operand of every use.
#if defined(LOCKSTEP_ISA_AVX512)
#define KEEP(value) asm("" : "+v"(value))
#elif defined(LOCKSTEP_ISA_AVX2)
#define KEEP(value) asm("" : "+x"(value))
#elif defined(LOCKSTEP_ISA_NEON)
#define KEEP(value) asm("" : "+w"(value))
#else
#define KEEP(value)
#endif

namespace lockstep {

constexpr int BLOCK = 16;  // samples in a block: lanes of one element

#if defined(LOCKSTEP_ISA_AVX512)

#define LOCKSTEP_ISA_NAME "avx512"
constexpr int LR = 16;
constexpr int REGISTERS = 32;
using R = __m512;
using Mask = __mmask16;
INLINE R load(const float* p) { return _mm512_load_ps(p); }
INLINE void store(float* p, R a) { _mm512_store_ps(p, a); }
INLINE void storeUnaligned(float* p, R a) { _mm512_storeu_ps(p, a); }
INLINE R splat(float a) { return _mm512_set1_ps(a); }
INLINE R zero() { return _mm512_setzero_ps(); }
INLINE R add(R a, R b) { return _mm512_add_ps(a, b); }
INLINE R sub(R a, R b) { return _mm512_sub_ps(a, b); }
INLINE R mul(R a, R b) { return _mm512_mul_ps(a, b); }
INLINE R div(R a, R b) { return _mm512_div_ps(a, b); }
INLINE R squareRoot(R a) { return _mm512_sqrt_ps(a); }
INLINE R fma(R a, R b, R c) { return _mm512_fmadd_ps(a, b, c); }
INLINE Mask greater(R a, R b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
INLINE Mask equal(R a, R b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
INLINE R select(Mask m, R a, R b) { return _mm512_mask_blend_ps(m, b, a); }
INLINE R keep(Mask m, R a) { return _mm512_maskz_mov_ps(m, a); }
INLINE Mask andNot(Mask a, Mask b) { return (Mask)(a & ~b); }
INLINE Mask maskOr(Mask a, Mask b) { return (Mask)(a | b); }
INLINE Mask noLanes() { return 0; }
INLINE Mask maskFromBits(uint32_t bits) { return (Mask)bits; }
// acc += v * *w with the weight as a memory operand: a register less than splat(*w)
INLINE void fmaMemory(R& acc, R v, const float* w) {
  asm("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(acc) : "v"(v), "m"(*w));
}

#elif defined(LOCKSTEP_ISA_AVX2)

#define LOCKSTEP_ISA_NAME "avx2"
constexpr int LR = 8;
constexpr int REGISTERS = 16;
using R = __m256;
struct Mask {
  __m256 m;
};
INLINE R load(const float* p) { return _mm256_load_ps(p); }
INLINE void store(float* p, R a) { _mm256_store_ps(p, a); }
INLINE void storeUnaligned(float* p, R a) { _mm256_storeu_ps(p, a); }
INLINE R splat(float a) { return _mm256_set1_ps(a); }
INLINE R zero() { return _mm256_setzero_ps(); }
INLINE R add(R a, R b) { return _mm256_add_ps(a, b); }
INLINE R sub(R a, R b) { return _mm256_sub_ps(a, b); }
INLINE R mul(R a, R b) { return _mm256_mul_ps(a, b); }
INLINE R div(R a, R b) { return _mm256_div_ps(a, b); }
INLINE R squareRoot(R a) { return _mm256_sqrt_ps(a); }
INLINE R fma(R a, R b, R c) { return _mm256_fmadd_ps(a, b, c); }
INLINE Mask greater(R a, R b) { return {_mm256_cmp_ps(a, b, _CMP_GT_OQ)}; }
INLINE Mask equal(R a, R b) { return {_mm256_cmp_ps(a, b, _CMP_EQ_OQ)}; }
INLINE R select(Mask m, R a, R b) { return _mm256_blendv_ps(b, a, m.m); }
INLINE R keep(Mask m, R a) { return _mm256_and_ps(m.m, a); }
INLINE Mask andNot(Mask a, Mask b) { return {_mm256_andnot_ps(b.m, a.m)}; }
INLINE Mask maskOr(Mask a, Mask b) { return {_mm256_or_ps(a.m, b.m)}; }
INLINE Mask noLanes() { return {_mm256_setzero_ps()}; }
INLINE Mask maskFromBits(uint32_t bits) {
  const __m256i lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  return {_mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)bits), lane), lane))};
}
INLINE void fmaMemory(R& acc, R v, const float* w) { acc = fma(v, splat(*w), acc); }

#elif defined(LOCKSTEP_ISA_NEON)

#define LOCKSTEP_ISA_NAME "neon"
constexpr int LR = 4;
constexpr int REGISTERS = 32;
using R = float32x4_t;
using Mask = uint32x4_t;
INLINE R load(const float* p) { return vld1q_f32(p); }
INLINE void store(float* p, R a) { vst1q_f32(p, a); }
INLINE void storeUnaligned(float* p, R a) { vst1q_f32(p, a); }
INLINE R splat(float a) { return vdupq_n_f32(a); }
INLINE R zero() { return vdupq_n_f32(0); }
INLINE R add(R a, R b) { return vaddq_f32(a, b); }
INLINE R sub(R a, R b) { return vsubq_f32(a, b); }
INLINE R mul(R a, R b) { return vmulq_f32(a, b); }
INLINE R div(R a, R b) { return vdivq_f32(a, b); }
INLINE R squareRoot(R a) { return vsqrtq_f32(a); }
INLINE R fma(R a, R b, R c) { return vfmaq_f32(c, a, b); }
INLINE Mask greater(R a, R b) { return vcgtq_f32(a, b); }
INLINE Mask equal(R a, R b) { return vceqq_f32(a, b); }
INLINE R select(Mask m, R a, R b) { return vbslq_f32(m, a, b); }
INLINE R keep(Mask m, R a) { return vreinterpretq_f32_u32(vandq_u32(m, vreinterpretq_u32_f32(a))); }
INLINE Mask andNot(Mask a, Mask b) { return vbicq_u32(a, b); }
INLINE Mask maskOr(Mask a, Mask b) { return vorrq_u32(a, b); }
INLINE Mask noLanes() { return vdupq_n_u32(0); }
INLINE Mask maskFromBits(uint32_t bits) {
  const uint32_t lanes[4] = {1, 2, 4, 8};
  return vtstq_u32(vdupq_n_u32(bits), vld1q_u32(lanes));
}
INLINE void fmaMemory(R& acc, R v, const float* w) { acc = fma(v, splat(*w), acc); }

#elif defined(LOCKSTEP_ISA_WASM) || defined(LOCKSTEP_ISA_WASM_EXACT)

constexpr int LR = 4;
constexpr int REGISTERS = 16;
using R = v128_t;
using Mask = v128_t;
INLINE R load(const float* p) { return wasm_v128_load(p); }
INLINE void store(float* p, R a) { wasm_v128_store(p, a); }
INLINE void storeUnaligned(float* p, R a) { wasm_v128_store(p, a); }
INLINE R splat(float a) { return wasm_f32x4_splat(a); }
INLINE R zero() { return wasm_f32x4_const(0, 0, 0, 0); }
INLINE R add(R a, R b) { return wasm_f32x4_add(a, b); }
INLINE R sub(R a, R b) { return wasm_f32x4_sub(a, b); }
INLINE R mul(R a, R b) { return wasm_f32x4_mul(a, b); }
INLINE R div(R a, R b) { return wasm_f32x4_div(a, b); }
INLINE R squareRoot(R a) { return wasm_f32x4_sqrt(a); }
#if defined(LOCKSTEP_ISA_WASM)
#define LOCKSTEP_ISA_NAME "wasm"
// One rounding or two: the engine's choice. Where it is two, probe.ts finds out, and the exact build is loaded.
INLINE R fma(R a, R b, R c) { return wasm_f32x4_relaxed_madd(a, b, c); }
#else
#define LOCKSTEP_ISA_NAME "wasm-exact"
// a*b + c rounded once without a fused instruction: the product of two floats is exact in double; the sum is rounded to odd
// (Boldo and Melquiond 2008), so the second rounding, to float, is right.
static inline __attribute__((noinline)) v128_t roundedToOdd(v128_t product, v128_t addend) {
  const v128_t sum = wasm_f64x2_add(product, addend), back = wasm_f64x2_sub(sum, product);
  const v128_t error = wasm_f64x2_add(wasm_f64x2_sub(product, wasm_f64x2_sub(sum, back)), wasm_f64x2_sub(addend, back));
  const v128_t none = wasm_f64x2_const(0, 0), one = wasm_i64x2_const(1, 1);
  const v128_t above = wasm_f64x2_gt(error, none), below = wasm_f64x2_lt(error, none);  // neither for NaN
  const v128_t isEven = wasm_i64x2_sub(wasm_v128_and(sum, one), one);
  const v128_t towardsError = wasm_v128_or(wasm_v128_xor(above, wasm_f64x2_gt(sum, none)), one);  // 1 or -1
  return wasm_i64x2_add(sum, wasm_v128_and(towardsError, wasm_v128_and(wasm_v128_or(above, below), isEven)));
}
// Lanes whose sum, rounded to double and then to float, may not be the sum rounded once: what lies on the middle between two
// floats, and what is no normal float but zero.
INLINE v128_t mayRoundTwice(v128_t sum) {
  const v128_t magnitude = wasm_f64x2_abs(sum), none = wasm_f64x2_const(0, 0);
  const v128_t isMiddle = wasm_i64x2_eq(wasm_v128_and(sum, wasm_i64x2_const_splat(0x1fffffff)), wasm_i64x2_const_splat(0x10000000));
  const v128_t isSmall = wasm_v128_and(wasm_f64x2_lt(magnitude, wasm_f64x2_const_splat(0x1p-126)), wasm_f64x2_gt(magnitude, none));
  return wasm_v128_or(isMiddle, isSmall);
}
// Not inlined: kernels have thousands of these.
static inline __attribute__((noinline)) R fma(R a, R b, R c) {
  const v128_t lowProduct = wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(a), wasm_f64x2_promote_low_f32x4(b));
  const v128_t lowAddend = wasm_f64x2_promote_low_f32x4(c);
  a = wasm_i64x2_shuffle(a, a, 1, 1), b = wasm_i64x2_shuffle(b, b, 1, 1), c = wasm_i64x2_shuffle(c, c, 1, 1);
  const v128_t highProduct = wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(a), wasm_f64x2_promote_low_f32x4(b));
  const v128_t highAddend = wasm_f64x2_promote_low_f32x4(c);
  v128_t low = wasm_f64x2_add(lowProduct, lowAddend), high = wasm_f64x2_add(highProduct, highAddend);
  if (wasm_v128_any_true(wasm_v128_or(mayRoundTwice(low), mayRoundTwice(high)))) {
    low = roundedToOdd(lowProduct, lowAddend), high = roundedToOdd(highProduct, highAddend);
  }
  return wasm_i64x2_shuffle(wasm_f32x4_demote_f64x2_zero(low), wasm_f32x4_demote_f64x2_zero(high), 0, 2);
}
#endif
INLINE Mask greater(R a, R b) { return wasm_f32x4_gt(a, b); }
INLINE Mask equal(R a, R b) { return wasm_f32x4_eq(a, b); }
INLINE R select(Mask m, R a, R b) { return wasm_v128_bitselect(a, b, m); }
INLINE R keep(Mask m, R a) { return wasm_v128_and(m, a); }
INLINE Mask andNot(Mask a, Mask b) { return wasm_v128_andnot(a, b); }
INLINE Mask maskOr(Mask a, Mask b) { return wasm_v128_or(a, b); }
INLINE Mask noLanes() { return wasm_i32x4_const(0, 0, 0, 0); }
INLINE Mask maskFromBits(uint32_t bits) {
  const v128_t lanes = wasm_i32x4_const(1, 2, 4, 8);
  return wasm_i32x4_eq(wasm_v128_and(wasm_i32x4_splat((int)bits), lanes), lanes);
}
INLINE void fmaMemory(R& acc, R v, const float* w) { acc = fma(v, wasm_v128_load32_splat(w), acc); }

#endif

constexpr int PARTS = BLOCK / LR;  // registers per element

// max(0, a); keeps NaN, so that a diverged run is seen and not hidden
INLINE R relu(R a) { return select(greater(zero(), a), zero(), a); }

// Sum of 16 lanes in the one order all builds share: within each quad (l0 + l2) + (l1 + l3), then (Q0 + Q1) + (Q2 + Q3).
INLINE float laneSum(const float* lanes) {
  float quad[4];
  for (int q = 0; q < 4; q++) quad[q] = (lanes[4 * q] + lanes[4 * q + 2]) + (lanes[4 * q + 1] + lanes[4 * q + 3]);
  return (quad[0] + quad[1]) + (quad[2] + quad[3]);
}

// out[k] = this register's share of laneSum of row k, of four rows: all of it, (Q0 + Q1) or (Q2 + Q3), or one Q
INLINE void partSums(R a, R b, R c, R d, float out[4]) {
#if defined(LOCKSTEP_ISA_AVX512)
  const __m512d ab = _mm512_castps_pd(add(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)));
  const __m512d cd = _mm512_castps_pd(add(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d)));
  const R quads = add(_mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd)), _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd)));
  const R pairs = add(quads, _mm512_shuffle_f32x4(quads, quads, 0xb1));
  _mm_storeu_ps(out, _mm_add_ps(_mm512_castps512_ps128(pairs), _mm512_extractf32x4_ps(pairs, 2)));
#elif defined(LOCKSTEP_ISA_AVX2)
  const __m256d ab = _mm256_castps_pd(add(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b)));
  const __m256d cd = _mm256_castps_pd(add(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d)));
  const R quads = add(_mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd)), _mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd)));
  _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(quads), _mm256_extractf128_ps(quads, 1)));
#else
  alignas(16) float lanes[4][4];
  store(lanes[0], a), store(lanes[1], b), store(lanes[2], c), store(lanes[3], d);
  for (int k = 0; k < 4; k++) out[k] = (lanes[k][0] + lanes[k][2]) + (lanes[k][1] + lanes[k][3]);
#endif
}

// laneSum of four rows, from their partSums of each register, `step` floats apart
INLINE void joinParts(const float* parts, int step, float out[4]) {
  for (int k = 0; k < 4; k++) {
    const float* p = parts + k;
    if constexpr (PARTS == 1) out[k] = p[0];
    if constexpr (PARTS == 2) out[k] = p[0] + p[step];
    if constexpr (PARTS == 4) out[k] = (p[0] + p[step]) + (p[2 * step] + p[3 * step]);
  }
}

}  // namespace lockstep
