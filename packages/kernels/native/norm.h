// Batch norm over a shard: statistics, coefficients, and their gradients.
//
// Forward: z = y * scale + shift per channel. Statistics are taken of y - K, K the running mean of version t, so that a
// large mean costs no digits. Sums: per lane four chains, column x in chain x % 4, over rows, then columns; the chains as
// (0 + 1) + (2 + 3); then the 16 lanes in order, in double; blocks in order.
#pragma once
#include "tensor.h"

namespace lockstep {

constexpr float BATCH_NORM_EPS = 1e-5f;

// Per shard in scratch, each of `channels` floats one after the other.
enum Coefficient { SCALE, SHIFT, MEAN, RSTD, GRAD, GRAD_Y, GRAD_ONE, COEFFICIENTS };

struct NormOp {
  Tensor y;
  float* coefficients;          // [COEFFICIENTS][channels], shardStride apart
  int64_t coefficientStride;
  int gamma, beta;              // offsets in state and contribution
  bool isFrozen;                // evaluation mode in training too: running statistics, no gradient of its own
  int statistics;               // offset: state [mean, variance, -][channels], contribution [n d, n d^2, n variance][channels]

  float* coefficient(int shard, Coefficient which) const {
    return coefficients + shard * coefficientStride + which * (int64_t)y.channels;
  }
};

// Coefficients SCALE, SHIFT, MEAN, RSTD; in training from the shard, whose sums go to `contribution`, unless it is frozen.
void runNormForward(const NormOp& op, const Context& context, int shard, float* contribution);
// From a channel's sums of g and g (y - mean): gradients of gamma and beta, and GRAD, GRAD_Y, GRAD_ONE, with which
// dY = g * GRAD + y * GRAD_Y + GRAD_ONE. Frozen: dY = g * GRAD, and nothing goes to `contribution`.
void finishNormBackward(const NormOp& op, const Context& context, int shard, int channel, double sumG, double sumGy,
                        float* contribution);

}  // namespace lockstep
