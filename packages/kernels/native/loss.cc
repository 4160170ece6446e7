#include "loss.h"

#include "elementary.h"

namespace lockstep {

void runLoss(const LossOp& op, const Context& context, int shard, float* result) {
  const int classes = op.logits.channels;
  const double smoothing = context.train ? op.smoothing : 0;
  const float offTarget = (float)(smoothing / classes), onTarget = (float)(1 - smoothing + smoothing / classes);
  result[0] = result[1] = 0;
  for (int b = 0; b < context.blocksPerShard; b++) {
    float* logits = op.logits.block(shard, b);
    const int first = context.firstSample(shard, b), lanes = context.validLanes(shard, b);
    alignas(64) float largest[BLOCK], sum[BLOCK] = {}, own[BLOCK] = {}, loss[BLOCK] = {};
    int predicted[BLOCK] = {}, label[BLOCK] = {};
    double rows[BLOCK] = {};  // sums over the classes of logit - largest
    float correct = 0;
    for (int i = 0; i < lanes; i++) label[i] = context.labels[context.imageOf(first + i)];
    if (context.logits) {
      for (int i = 0; i < lanes; i++) {
        for (int c = 0; c < classes; c++) context.logits[(int64_t)(first + i) * classes + c] = logits[c * BLOCK + i];
      }
    }
    for (int i = 0; i < BLOCK; i++) largest[i] = logits[i];
    for (int c = 1; c < classes; c++) {
      for (int i = 0; i < BLOCK; i++) {
        if (logits[c * BLOCK + i] > largest[i]) largest[i] = logits[c * BLOCK + i], predicted[i] = c;
      }
    }
    for (int c = 0; c < classes; c++) {
      float* row = logits + c * BLOCK;
      for (int i = 0; i < BLOCK; i++) {
        row[i] = row[i] - largest[i];
        if (c == label[i]) own[i] = row[i];
      }
      if (smoothing > 0) {
        for (int i = 0; i < BLOCK; i++) rows[i] += row[i];
      }
      expLanes(row);
      for (int i = 0; i < BLOCK; i++) sum[i] = sum[i] + row[i];
    }
    for (int i = 0; i < lanes; i++) {
      const double wanted = smoothing > 0 ? (1 - smoothing) * own[i] + smoothing / classes * rows[i] : own[i];
      loss[i] = (float)(logarithm(sum[i]) - wanted);
      if (sum[i] != sum[i]) loss[i] = sum[i];  // NaN is seen, not hidden
      correct += predicted[i] == label[i];
    }
    result[0] = result[0] + laneSum(loss);
    result[1] = result[1] + correct;
    if (context.train) {
      for (int c = 0; c < classes; c++) {
        for (int i = 0; i < BLOCK; i++) {
          const float p = logits[c * BLOCK + i] / sum[i];
          logits[c * BLOCK + i] = i < lanes ? p - (c == label[i] ? onTarget : offTarget) : 0.0f;
        }
      }
    } else if (context.results) {
      for (int i = 0; i < lanes; i++) {
        context.results[2 * (first + i)] = (float)predicted[i];
        context.results[2 * (first + i) + 1] = 1.0f / sum[i];  // e^0 of the largest, over the sum
      }
    }
  }
}

}  // namespace lockstep
