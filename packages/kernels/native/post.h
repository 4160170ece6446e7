// What stands between a convolution's output and the next layer's input, in one pass:
// out = dropout2(maxPool(dropout1(relu(batchNorm(y))))), each part optional; and its backward.
#pragma once
#include "norm.h"

namespace lockstep {

// Kept elements, one bit per lane: element e of a block is bits[e], e = (channel, row, column) without border.
struct DropoutOp {
  uint16_t* bits;
  int64_t shardStride, blockStride;  // in elements
  int elements;                      // of one sample
  uint32_t threshold;                // an element is dropped when its 16 random bits are below
  float keepScale;                   // 65536 / (65536 - threshold)
  uint32_t layer;                    // index in the model

  uint16_t* block(int shard, int b) const { return bits + shard * shardStride + b * blockStride; }
};

// Element e of the sample at position i of the batch: half e % 2 of word (e / 2) % 4 of
// Philox(seed, DROPOUT | layer << 8, stream step, lane i, index e / 8).
void runDropoutMask(const DropoutOp& op, const Context& context, int shard);

struct PostOp {
  Tensor y, out;
  const NormOp* norm;        // or null
  bool withRelu;
  const DropoutOp *dropout1, *dropout2;  // or null
  int kernel, stride;        // of the max pool; 0: none
};

void runPostForward(const PostOp& op, const Context& context, int shard);

struct PostBackwardOp {
  const PostOp* post;
  Tensor dOut;               // gradient of post.out; for a post without out (y itself is read next), of y
  Tensor g;                  // gradient of batchNorm(y), or of y; shape of y; may be y itself without a norm, if windows tile
};
// g, and with batch norm the sums for finishNormBackward, per channel: per lane four chains, column (without a pool) or
// window column x in chain x % 4, over rows, then columns, then within the window; the chains as (0 + 1) + (2 + 3); then
// the 16 lanes in order, in double; blocks in order.
void runPostBackward(const PostBackwardOp& op, const Context& context, int shard, double* sumG, double* sumGy);

struct ApplyOp {
  Tensor y, g;
  const NormOp* norm;        // or null: dY = g
  bool masksByRelu;          // y is the output of a ReLU: dY is 0 where y is not positive
};
// Overwrites y with dY = g * GRAD + y * GRAD_Y + GRAD_ONE, 0 in empty lanes.
void runApply(const ApplyOp& op, const Context& context, int shard);

struct NormBackwardOp {
  const PostOp* post;        // with a norm, and no pool or one of 2x2 windows without a dropout before it
  Tensor dOut;
  bool masksByRelu;          // as in ApplyOp
};
// The two passes above, channel by channel, so that the second finds y and dOut in cache and no g is stored: overwrites
// y with dY. Same sums in the same order.
void runNormBackward(const NormBackwardOp& op, const Context& context, int shard, float* contribution);

struct AveragePoolOp {
  Tensor in, out;
  int kernelHeight, kernelWidth, stride;
};
// Sum over the window by row and column, times 1 / its size.
void runAveragePool(const AveragePoolOp& op, const Context& context, int shard);
// dIn from dOut, windows in row order
void runAveragePoolBackward(const AveragePoolOp& op, const Tensor& dOut, const Tensor& dIn, const Context& context, int shard);

}  // namespace lockstep
