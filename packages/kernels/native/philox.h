// Philox4x32-10 (Salmon et al. 2011), the one source of randomness: a function, without a state.
//
// key = the seed's two halves; counter = [index, lane, stream, purpose]. The same layout as packages/core/src/random.ts.
#pragma once
#include "lanes.h"

namespace lockstep {

enum Purpose : uint32_t { AUGMENTATION = 3, DROPOUT = 4 };

struct Key {
  uint32_t low, high;
};

// out[word][lane], for the 16 counters [index, firstLane + lane, stream, purpose]
static inline void philoxLanes(Key key, uint32_t index, uint32_t firstLane, uint32_t stream, uint32_t purpose,
                               uint32_t out[4][BLOCK]) {
  uint32_t c0[BLOCK], c1[BLOCK], c2[BLOCK], c3[BLOCK];
  for (int i = 0; i < BLOCK; i++) c0[i] = index, c1[i] = firstLane + i, c2[i] = stream, c3[i] = purpose;
  uint32_t k0 = key.low, k1 = key.high;
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < BLOCK; i++) {
      const uint64_t a = (uint64_t)0xD2511F53u * c0[i], b = (uint64_t)0xCD9E8D57u * c2[i];
      const uint32_t n0 = (uint32_t)(b >> 32) ^ c1[i] ^ k0, n2 = (uint32_t)(a >> 32) ^ c3[i] ^ k1;
      c1[i] = (uint32_t)b, c3[i] = (uint32_t)a, c0[i] = n0, c2[i] = n2;
    }
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  memcpy(out[0], c0, sizeof c0), memcpy(out[1], c1, sizeof c1);
  memcpy(out[2], c2, sizeof c2), memcpy(out[3], c3, sizeof c3);
}

}  // namespace lockstep
