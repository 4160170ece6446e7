// Fully connected layers, over all blocks of a wave of shards at once: the weights are read once per wave.
//
// Order of additions: output: bias, then inputs ascending; input gradient: 0, then outputs ascending; weight gradient:
// per shard from 0 over its samples, then the canonical tree over the wave's shards; bias gradient: laneSum per block,
// blocks in order, then the tree. What the recipe rounds is rounded in every partial, each shard's own included.
#pragma once
#include <vector>
#include "bf16.h"
#include "tensor.h"

namespace lockstep {

struct DenseOp {
  Tensor in, out;   // [features] dense
  int weight, bias; // offsets in state and contribution; bias -1: none
  float* transposed;  // scratch: [shard of wave][sample of shard][pitch] inputs, for the weight gradient
  int64_t transposedShardStride;
  int pitch;        // in.features rounded up to 16
};

void runDense(const DenseOp& op, const Context& context, int firstShard, int shardCount);
void runDenseInputGradient(const DenseOp& op, const Tensor& dOut, const Tensor& dIn, const Context& context,
                           int firstShard, int shardCount);
// Writes dWeight and dBias of the shards' partial to `contribution`; shardCount is a power of two.
void runDenseWeightGradient(const DenseOp& op, const Tensor& dOut, const Context& context, int firstShard,
                            int shardCount, const Rounding& rounding, float* contribution);

// In the canonical tree's order, for a power of two of rows `stride` floats apart: row 0 becomes the sum. The rows are
// floats [offset, offset + length) of shards' contributions, not yet rounded.
void addTree(float* rows, int count, int64_t stride, int length, const Rounding& rounding, int64_t offset);

}  // namespace lockstep
