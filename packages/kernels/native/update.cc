#include "update.h"

#include "bf16.h"

namespace lockstep {
namespace {
constexpr int CHUNK = 64;  // floats of every partial at a time
constexpr int MAX_STACK = 40;

template <bool ROUNDS>
void foldChunks(const Fold& fold, int64_t offset, int64_t length, float* out) {
  alignas(64) float stack[MAX_STACK][CHUNK];
  for (int64_t at = 0; at < length; at += CHUNK) {
    const int width = length - at < CHUNK ? (int)(length - at) : CHUNK;
    int depth = 0;
    size_t next = 0;
    for (const int32_t step : fold.steps) {
      if (step == FOLD_PUSH) {
        memcpy(stack[depth++], fold.partials[next++] + offset + at, width * sizeof(float));
      } else {
        depth--;
        for (int i = 0; i < width; i += LR) {
          const R sum = add(load(stack[depth - 1] + i), load(stack[depth] + i));
          store(stack[depth - 1] + i, ROUNDS ? roundToBf16(sum) : sum);
        }
      }
    }
    memcpy(out + at, stack[0], width * sizeof(float));
  }
}

}  // namespace

void runFold(const Fold& fold, int64_t offset, int64_t length, bool rounds, float* out) {
  return rounds ? foldChunks<true>(fold, offset, length, out) : foldChunks<false>(fold, offset, length, out);
}

void addInto(float* into, const float* from, int64_t length) {
  for (int64_t i = 0; i < length; i += LR) store(into + i, add(load(into + i), load(from + i)));
}

void runOptimizer(const OptimizerScalars& s, const float* gradient, float samples, int64_t length, const float* parameter,
                  const float* slot1, const float* slot2, float* newParameter, float* newSlot1, float* newSlot2) {
  const R count = splat(samples), rate = splat(s.learningRate), decay = splat(s.weightDecay), momentum = splat(s.momentum);
  const R beta1 = splat(s.beta1), one1 = splat(s.oneMinusBeta1), beta2 = splat(s.beta2), one2 = splat(s.oneMinusBeta2);
  const R stepSize = splat(s.stepSize), correction = splat(s.rsqrtCorrection), eps = splat(s.eps), factor = splat(s.decayFactor);
  const R clip = splat(s.gradientScale);
  const bool decays = s.type != ADAMW;
  for (int64_t i = 0; i < length; i += LR) {
    R p = load(parameter + i);
    R g = div(load(gradient + i), count);
    if (s.gradientScale != 1) g = mul(g, clip);
    if (decays) g = add(g, mul(decay, p));
    if (s.type == SGD) {
      if (s.momentum != 0) {
        const R v = add(mul(momentum, load(slot1 + i)), g);
        store(newSlot1 + i, v);
        g = s.nesterov ? add(g, mul(momentum, v)) : v;
      }
      store(newParameter + i, sub(p, mul(rate, g)));
    } else {
      if (s.type == ADAMW) p = mul(p, factor);
      const R m = add(mul(beta1, load(slot1 + i)), mul(one1, g));
      const R v = add(mul(beta2, load(slot2 + i)), mul(one2, mul(g, g)));
      store(newSlot1 + i, m);
      store(newSlot2 + i, v);
      const R below = add(mul(squareRoot(v), correction), eps);
      store(newParameter + i, sub(p, div(mul(stepSize, m), below)));
    }
  }
}

void runRunningStatistics(const float* sums, double values, int channels, const float* running, float* newRunning) {
  for (int c = 0; c < channels; c++) {
    const double d = sums[c] / values;
    const double between = sums[channels + c] / values - d * d;
    const double biased = sums[2 * channels + c] / values + (between > 0 ? between : 0);
    const double unbiased = values > 1 ? biased * (values / (values - 1)) : biased;
    newRunning[c] = (float)(running[c] + 0.1 * d);  // 0.9 r + 0.1 (r + d)
    newRunning[channels + c] = (float)(0.9 * running[channels + c] + 0.1 * unbiased);
  }
}

}  // namespace lockstep
