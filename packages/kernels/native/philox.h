// Philox4x32-10 (Salmon et al. 2011), the one source of randomness: a function, without a state.
//
// key = the seed's two halves; counter = [index, lane, stream, purpose]. The same layout as packages/core/src/math/random.ts.
#pragma once
#include "lanes.h"

namespace lockstep {

enum Purpose : uint32_t { AUGMENTATION = 3, DROPOUT = 4 };

struct Key {
  uint32_t low, high;
};

constexpr uint32_t PHILOX_A = 0xD2511F53u, PHILOX_B = 0xCD9E8D57u, PHILOX_K0 = 0x9E3779B9u, PHILOX_K1 = 0xBB67AE85u;
constexpr int PHILOX_ROUNDS = 10;

#if defined(LOCKSTEP_ISA_AVX512)

// High and low halves of the 16 products a * m
INLINE void mulWide(__m512i a, __m512i m, __m512i& high, __m512i& low) {
  const __m512i even = _mm512_mul_epu32(a, m), odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), m);
  high = _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), 0xaaaa, odd);
  low = _mm512_mask_mov_epi32(even, 0xaaaa, _mm512_slli_epi64(odd, 32));
}

// out[word][lane], for the 16 counters [index, firstLane + lane, stream, purpose]
INLINE void philoxLanes(Key key, uint32_t index, uint32_t firstLane, uint32_t stream, uint32_t purpose, uint32_t out[4][BLOCK]) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i a = _mm512_set1_epi32((int)PHILOX_A), b = _mm512_set1_epi32((int)PHILOX_B);
  __m512i c0 = _mm512_set1_epi32((int)index), c1 = _mm512_add_epi32(_mm512_set1_epi32((int)firstLane), lane);
  __m512i c2 = _mm512_set1_epi32((int)stream), c3 = _mm512_set1_epi32((int)purpose);
  uint32_t k0 = key.low, k1 = key.high;
  UNROLL for (int round = 0; round < PHILOX_ROUNDS; round++) {
    __m512i highA, lowA, highB, lowB;
    mulWide(c0, a, highA, lowA);
    mulWide(c2, b, highB, lowB);
    c0 = _mm512_ternarylogic_epi32(highB, c1, _mm512_set1_epi32((int)k0), 0x96);
    c2 = _mm512_ternarylogic_epi32(highA, c3, _mm512_set1_epi32((int)k1), 0x96);
    c1 = lowB, c3 = lowA;
    k0 += PHILOX_K0, k1 += PHILOX_K1;
  }
  _mm512_storeu_si512(out[0], c0), _mm512_storeu_si512(out[1], c1);
  _mm512_storeu_si512(out[2], c2), _mm512_storeu_si512(out[3], c3);
}

#else

// out[word][lane], for the 16 counters [index, firstLane + lane, stream, purpose]
static inline void philoxLanes(Key key, uint32_t index, uint32_t firstLane, uint32_t stream, uint32_t purpose,
                               uint32_t out[4][BLOCK]) {
  uint32_t c0[BLOCK], c1[BLOCK], c2[BLOCK], c3[BLOCK];
  for (int i = 0; i < BLOCK; i++) c0[i] = index, c1[i] = firstLane + i, c2[i] = stream, c3[i] = purpose;
  uint32_t k0 = key.low, k1 = key.high;
  for (int round = 0; round < PHILOX_ROUNDS; round++) {
    for (int i = 0; i < BLOCK; i++) {
      const uint64_t a = (uint64_t)PHILOX_A * c0[i], b = (uint64_t)PHILOX_B * c2[i];
      const uint32_t n0 = (uint32_t)(b >> 32) ^ c1[i] ^ k0, n2 = (uint32_t)(a >> 32) ^ c3[i] ^ k1;
      c1[i] = (uint32_t)b, c3[i] = (uint32_t)a, c0[i] = n0, c2[i] = n2;
    }
    k0 += PHILOX_K0, k1 += PHILOX_K1;
  }
  memcpy(out[0], c0, sizeof c0), memcpy(out[1], c1, sizeof c1);
  memcpy(out[2], c2, sizeof c2), memcpy(out[3], c3, sizeof c3);
}

#endif

// Bit i: whether half `half` (0: low, 1: high) of lane i's word is at least `threshold`
INLINE uint16_t halvesAtLeast(const uint32_t word[BLOCK], int half, uint32_t threshold) {
#if defined(LOCKSTEP_ISA_AVX512)
  const __m512i words = _mm512_loadu_si512(word);
  const __m512i value = half ? _mm512_srli_epi32(words, 16) : _mm512_and_si512(words, _mm512_set1_epi32(0xffff));
  return _mm512_cmpge_epu32_mask(value, _mm512_set1_epi32((int)threshold));
#elif defined(LOCKSTEP_ISA_AVX2)
  uint32_t bits = 0;
  for (int i = 0; i < BLOCK; i += 8) {
    const __m256i words = _mm256_loadu_si256((const __m256i*)(word + i));
    const __m256i value = half ? _mm256_srli_epi32(words, 16) : _mm256_and_si256(words, _mm256_set1_epi32(0xffff));
    const __m256i kept = _mm256_cmpgt_epi32(value, _mm256_set1_epi32((int)threshold - 1));
    bits |= (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(kept)) << i;
  }
  return (uint16_t)bits;
#else
  uint32_t bits = 0;
  for (int i = 0; i < BLOCK; i++) bits |= (uint32_t)((word[i] >> (16 * half) & 0xffff) >= threshold) << i;
  return (uint16_t)bits;
#endif
}

}  // namespace lockstep
