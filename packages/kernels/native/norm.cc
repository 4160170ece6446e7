#include "norm.h"

#include <cmath>

namespace lockstep {
namespace {

// Sums over a shard of y - K and its square, of the lanes that hold samples.
void sumChannel(const NormOp& op, const Context& context, int shard, int channel, float origin, double& sum, double& squares) {
  alignas(64) float first[BLOCK], second[BLOCK];
  const Tensor& t = op.y;
  sum = squares = 0;
  const R k = splat(origin);
  for (int b = 0; b < context.blocksPerShard; b++) {
    const float* at = t.block(shard, b) + channel * t.channelStride;
    for (int h = 0; h < BLOCK; h += LR) {
      R s[4] = {zero(), zero(), zero(), zero()}, q[4] = {zero(), zero(), zero(), zero()};
      auto take = [&](const float* pixel, int chain) {
        const R v = sub(load(pixel), k);
        s[chain] = add(s[chain], v);
        q[chain] = fma(v, v, q[chain]);
      };
      for (int y = 0; y < t.height; y++) {
        const float* row = at + y * t.rowStride + h;
        int x = 0;
        for (; x + 4 <= t.width; x += 4) UNROLL for (int c = 0; c < 4; c++) take(row + (x + c) * BLOCK, c);
        for (int c = 0; x + c < t.width; c++) take(row + (x + c) * BLOCK, c);
      }
      store(first + h, add(add(s[0], s[1]), add(s[2], s[3])));
      store(second + h, add(add(q[0], q[1]), add(q[2], q[3])));
    }
    const int lanes = context.validLanes(shard, b);
    for (int i = 0; i < lanes; i++) sum += first[i], squares += second[i];
  }
}

}  // namespace

void runNormForward(const NormOp& op, const Context& context, int shard, float* contribution) {
  const int channels = op.y.channels;
  const float *gamma = context.state + op.gamma, *beta = context.state + op.beta;
  const float *runningMean = context.state + op.statistics, *runningVar = runningMean + channels;
  float *scale = op.coefficient(shard, SCALE), *shift = op.coefficient(shard, SHIFT);
  float *mean = op.coefficient(shard, MEAN), *rstd = op.coefficient(shard, RSTD);
  const double n = (double)context.validSamples(shard) * op.y.height * op.y.width;
  for (int c = 0; c < channels; c++) {
    double offset = 0, variance = runningVar[c];
    if (context.train && !op.isFrozen) {
      double sum, squares;
      sumChannel(op, context, shard, c, runningMean[c], sum, squares);
      offset = sum / n;
      variance = squares / n - offset * offset;
      if (variance < 0) variance = 0;
      float* to = contribution + op.statistics + c;
      to[0] = (float)sum;
      to[channels] = (float)(sum * offset);
      to[2 * (int64_t)channels] = (float)(variance * n);
    }
    const double inverse = 1 / std::sqrt(variance + (double)BATCH_NORM_EPS);
    const double m = runningMean[c] + offset;
    mean[c] = (float)m;
    rstd[c] = (float)inverse;
    scale[c] = (float)(gamma[c] * inverse);
    shift[c] = (float)(beta[c] - m * (gamma[c] * inverse));
  }
}

void finishNormBackward(const NormOp& op, const Context& context, int shard, int c, double sumG, double sumGy,
                        float* contribution) {
  const float* gamma = context.state + op.gamma;
  const double n = (double)context.validSamples(shard) * op.y.height * op.y.width;
  const float *mean = op.coefficient(shard, MEAN), *rstd = op.coefficient(shard, RSTD);
  const double dGamma = rstd[c] * sumGy, s = (double)gamma[c] * rstd[c];
  if (op.isFrozen) {
    op.coefficient(shard, GRAD)[c] = (float)s;
    op.coefficient(shard, GRAD_Y)[c] = op.coefficient(shard, GRAD_ONE)[c] = 0;
    return;
  }
  contribution[op.gamma + c] = (float)dGamma;
  contribution[op.beta + c] = (float)sumG;
  const double perY = -s * rstd[c] * dGamma / n;
  op.coefficient(shard, GRAD)[c] = (float)s;
  op.coefficient(shard, GRAD_Y)[c] = (float)perY;
  op.coefficient(shard, GRAD_ONE)[c] = (float)(-s * sumG / n - perY * mean[c]);
}

}  // namespace lockstep
