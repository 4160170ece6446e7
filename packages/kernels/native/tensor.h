// What kernels work on: tensors of blocks, and the context of the shards that are being computed.
//
// Layout of every activation: [shard][block][channel][row][column][16 samples]. Rows may have a border of zeros around
// them that is written once, at allocation, and never again; `at` points at the interior's first element.
#pragma once
#include "lanes.h"

namespace lockstep {

struct Tensor {
  float* base;           // element (channel 0, row 0, column 0) of shard 0, block 0
  int64_t shardStride;   // floats; 0: one instance that every shard of a wave reuses
  int64_t blockStride;   // floats
  int64_t channelStride; // floats
  int64_t rowStride;     // floats
  int channels, height, width;
  int before, after;     // border: zeros above and left of a channel, zeros below and right of it
  int place;             // which piece of the scratch it stands in; see ownership.h

  float* block(int shard, int b) const { return base + shard * shardStride + b * blockStride; }
};

// The shards [firstShard, firstShard + shardCount) of a step, whose contribution is being computed.
struct Context {
  bool train;
  const float* state;    // parameters and batch-norm statistics of version t
  int firstShard;        // index in the step of the wave's shard 0
  int blocksPerShard;
  int samples;           // samples in the step: lanes from here on are empty
  uint32_t seedLow, seedHigh, step, epoch;
  const uint8_t* images;  // [count][channels][height][width]
  const uint8_t* labels;  // [count]
  const int32_t* order;   // sample i of the step is image order[i]; null: image firstImage + i
  int32_t firstImage;
  float* results;         // evaluation: per sample of the call, [predicted class, its probability]
  float* logits;          // evaluation: per sample of the call, [classes]; null: nobody asks for them
  uint32_t* progress;     // grows by one before each op, for who watches the thread; null: nobody does

  int firstSample(int shard, int b) const { return ((firstShard + shard) * blocksPerShard + b) * BLOCK; }
  // The image that sample i of the step shows
  int32_t imageOf(int sample) const { return order ? order[sample] : firstImage + sample; }
  // How many of a block's 16 lanes hold a sample
  int validLanes(int shard, int b) const {
    int left = samples - firstSample(shard, b);
    return left >= BLOCK ? BLOCK : left > 0 ? left : 0;
  }
  // One thread writes it, so nothing is locked.
  void noteProgress() const {
    if (progress) __atomic_store_n(progress, __atomic_load_n(progress, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
  }
  int validSamples(int shard) const {
    int n = 0;
    for (int b = 0; b < blocksPerShard; b++) n += validLanes(shard, b);
    return n;
  }
};

// 1 for the lanes that hold a sample, 0 for the others
INLINE void laneMask(int validLanes, float* mask) {
  for (int i = 0; i < BLOCK; i++) mask[i] = i < validLanes ? 1.0f : 0.0f;
}

}  // namespace lockstep
