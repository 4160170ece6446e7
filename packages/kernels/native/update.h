// The end of a step: adding up the partials of the canonical tree, and the optimizer.
#pragma once
#include <vector>
#include "lanes.h"

namespace lockstep {

// The canonical tree over a step's shards from its partials in shard order, as a stack program: FOLD_PUSH pushes the next
// partial, FOLD_ADD adds the two on top (lower + upper).
enum FoldStep : int32_t { FOLD_PUSH = 0, FOLD_ADD = 1 };

struct Fold {
  std::vector<const float*> partials;
  std::vector<int32_t> steps;
};

// out[0, length) = sum over the partials' [offset, offset + length); length a multiple of 16, all aligned. Each sum is
// rounded to bf16 if asked for.
void runFold(const Fold& fold, int64_t offset, int64_t length, bool rounds, float* out);
// into += from, the addition of one partial
void addInto(float* into, const float* from, int64_t length);

enum OptimizerType : int32_t { SGD = 0, ADAM = 1, ADAMW = 2 };

// Float32 scalars of a step; see packages/core/src/run/optimizer.ts for the formulas and the order of operations.
struct OptimizerScalars {
  int32_t type, nesterov;
  float learningRate, momentum, weightDecay, beta1, oneMinusBeta1, beta2, oneMinusBeta2, stepSize, rsqrtCorrection, eps, decayFactor;
  float gradientScale;  // of the mean gradient; 1 unless its norm is clipped
};

// state t -> state t+1 for [offset, offset + length) of the parameters; gradient is the sum, samples its divisor.
void runOptimizer(const OptimizerScalars& s, const float* gradient, float samples, int64_t length, const float* parameter,
                  const float* slot1, const float* slot2, float* newParameter, float* newSlot1, float* newSlot2);

// Running statistics of one batch norm from the sums of a batch [n d, n d^2, n variance][channels], d = mean - running
// mean: running = 0.9 running + 0.1 batch, the variance unbiased. `values` = samples * height * width.
void runRunningStatistics(const float* sums, double values, int channels, const float* running, float* newRunning);

}  // namespace lockstep
