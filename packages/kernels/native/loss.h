// Softmax cross-entropy of logits: sums, not means.
#pragma once
#include "tensor.h"

namespace lockstep {

struct LossOp {
  Tensor logits;   // [classes]; training overwrites them with their gradient softmax - target (0 in empty lanes)
  int result;      // offset in contribution: [loss sum, correct count]
  float smoothing; // of the labels, in training: the target is (1 - smoothing) onehot + smoothing / classes
};

// One shard: loss summed by laneSum per block, blocks in order; correct by the first largest logit.
// In evaluation also writes [predicted, probability] of each sample to the context's results, and its logits if asked.
void runLoss(const LossOp& op, const Context& context, int shard, float* result);

}  // namespace lockstep
