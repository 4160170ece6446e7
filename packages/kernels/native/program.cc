#include "program.h"
#include "clock.h"
#include "scratch.h"
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include <algorithm>

namespace lockstep {

Program::~Program() {
#if defined(__SANITIZE_ADDRESS__)
  if (scratch_) ASAN_UNPOISON_MEMORY_REGION(scratch_, scratchBytes_ + SCRATCH_ALIGNMENT);
#endif
  if (scratch_) freeScratch(scratch_, scratchBytes_);
}

void Program::prepare(const float* state, bool train) {
  for (ConvOp& c : convs_) {
    if (c.winogradForward) transformWeights(c.forwardW, state + c.weight);
    else packWeights(c.forward, state + c.weight);
    if (!train || !c.hasInputGradient) continue;
    if (c.winogradInputGradient) transformWeights(c.inputGradientW, state + c.weight);
    else packWeights(c.inputGradient, state + c.weight);
  }
}

void Program::contribute(Context context, int shards, float* partial, Part part) {
  float* leaves = shards == 1 ? partial : leaves_;
  const size_t last = stages_.size() - 1;
  const size_t begin = part == LAST_STAGE ? last : 0, end = part == ALL_BUT_LAST_STAGE ? last : last + 1;
  for (size_t i = begin; i < end; i++) runStage(stages_[i], context, shards, partial, leaves);
  if (shards == 1) {
    const int64_t from = part == ALL_BUT_LAST_STAGE ? prefix_ : 0, to = part == LAST_STAGE ? prefix_ : INT64_MAX;
    return rounding_.apply(partial + from, from, to - from);
  }
  if (part == ALL_BUT_LAST_STAGE) return;
  addTree(leaves_, shards, prefix_, prefix_, rounding_, 0);
  memcpy(partial, leaves_, prefix_ * sizeof(float));
}

void Program::runStage(Stage& stage, Context& context, int shards, float* partial, float* leaves) {
  if (stage.isWave) {
    for (Op& op : stage.ops) runWaveOp(op, context, shards, partial);
    return;
  }
  for (int s = 0; s < shards; s++) {
    float* contribution = leaves + (int64_t)s * prefix_;
    for (Op& op : stage.ops) runTimed(op, context, s, 1, contribution);
  }
}

// All shards of the wave through one op. Small sums are taken per shard and added by the tree.
void Program::runWaveOp(Op& op, const Context& context, int shards, float* partial) {
  const bool treesItself = op.record == DENSE || op.record == DENSE_WEIGHT_GRADIENT || op.record == DENSE_INPUT_GRADIENT;
  if (treesItself || shards == 1) {
    runTimed(op, context, 0, shards, partial);
    return;
  }
  const int64_t length = op.end - op.begin;
  // Zeroed, as what the op writes may have padding between its parts.
  waveLeaves_.assign(std::max(waveLeaves_.size(), (size_t)(shards * length)), 0.0f);
  for (int s = 0; s < shards; s++) runTimed(op, context, s, 1, waveLeaves_.data() + s * length - op.begin);
  if (length == 0) return;
  addTree(waveLeaves_.data(), shards, length, (int)length, rounding_, op.begin);
  memcpy(partial + op.begin, waveLeaves_.data(), length * sizeof(float));
}

void Program::startProfile() {
  profiles_ = true;
  for (Stage& stage : stages_) {
    for (Op& op : stage.ops) op.nanoseconds = 0;
  }
}

// As `algorithms` in packages/kernels/src/calls.ts counts them
Algorithm Program::algorithmOf(const Op& op) const {
  switch (op.record) {
    case CONV: return convs_[op.index].winogradForward ? WINOGRAD : convs_[op.index].forward.isDepthwise ? DEPTHWISE : DIRECT;
    case CONV_INPUT_GRADIENT:
      return convs_[op.index].winogradInputGradient ? WINOGRAD : convs_[op.index].inputGradient.isDepthwise ? DEPTHWISE : DIRECT;
    case CONV_WEIGHT_GRADIENT: return convs_[op.index].winogradWeightGradient ? WINOGRAD : DIRECT;
    case DENSE:
    case DENSE_WEIGHT_GRADIENT:
    case DENSE_INPUT_GRADIENT: return PRODUCT;
    default: return PASS;
  }
}

std::vector<double> Program::takeProfile() {
  profiles_ = false;
  std::vector<double> rows;
  for (const Stage& stage : stages_) {
    for (const Op& op : stage.ops) {
      rows.insert(rows.end(), {(double)op.record, (double)op.index, op.nanoseconds, (double)algorithmOf(op)});
    }
  }
  return rows;
}

void Program::runTimed(Op& op, const Context& context, int shard, int shards, float* contribution) {
  if (!profiles_) return run(op, context, shard, shards, contribution);
  const double start = nanoseconds();
  run(op, context, shard, shards, contribution);
  op.nanoseconds += nanoseconds() - start;
}

void Program::run(const Op& op, const Context& context, int shard, int shards, float* contribution) {
  context.noteProgress();
  switch (op.record) {
    case INPUT: return runInput(inputs_[op.index], context, shard);
    case DROPOUT_MASK:
      if (context.train) runDropoutMask(dropouts_[op.index], context, shard);
      return;
    case CONV: {
      const ConvOp& c = convs_[op.index];
      const float* bias = c.bias < 0 ? nullptr : context.state + c.bias;
      if (c.winogradForward) {
        return runWinograd(c.forwardW, tensors_[c.in], tensors_[c.out], bias, c.withRelu, shard, shards, blocksPerShard_, winograd_);
      }
      return runConv(c.forward, tensors_[c.in], tensors_[c.out], bias, c.withRelu, shard, shards, blocksPerShard_);
    }
    case NORM_FORWARD: return runNormForward(norms_[op.index], context, shard, contribution);
    case POST: return runPostForward(posts_[op.index], context, shard);
    case AVERAGE_POOL: return runAveragePool(averagePools_[op.index], context, shard);
    case DENSE: return runDense(denses_[op.index], context, shard, shards);
    case LOSS: return runLoss(losses_[op.index], context, shard, contribution + losses_[op.index].result);
    case DENSE_WEIGHT_GRADIENT:
      return runDenseWeightGradient(denses_[op.index], tensors_[op.a], context, shard, shards, rounding_, contribution);
    case DENSE_INPUT_GRADIENT:
      return runDenseInputGradient(denses_[op.index], tensors_[op.a], tensors_[op.b], context, shard, shards);
    case AVERAGE_POOL_BACKWARD:
      return runAveragePoolBackward(averagePools_[op.index], tensors_[op.a], tensors_[op.b], context, shard);
    case POST_BACKWARD: {
      const PostBackwardOp& b = postBackwards_[op.index];
      runPostBackward(b, context, shard, sumG_.data(), sumGy_.data());
      for (int c = 0; b.post->norm && c < b.post->y.channels; c++) {
        finishNormBackward(*b.post->norm, context, shard, c, sumG_[c], sumGy_[c], contribution);
      }
      return;
    }
    case NORM_BACKWARD: return runNormBackward(normBackwards_[op.index], context, shard, contribution);
    case APPLY: return runApply(applies_[op.index], context, shard);
    case CONV_WEIGHT_GRADIENT: {
      const ConvOp& c = convs_[op.index];
      if (c.winogradWeightGradient) {
        return runWinogradGradient(c.weightGradientW, tensors_[c.in], tensors_[op.a], shard, blocksPerShard_, contribution + c.weight, winograd_);
      }
      return runConvWeightGradient(c.weightGradient, tensors_[c.in], tensors_[op.a], shard, blocksPerShard_, contribution + c.weight);
    }
    case CONV_INPUT_GRADIENT: {
      const ConvOp& c = convs_[op.index];
      if (c.winogradInputGradient) {
        return runWinograd(c.inputGradientW, tensors_[op.a], tensors_[op.b], nullptr, false, shard, shards, blocksPerShard_, winograd_);
      }
      return runConv(c.inputGradient, tensors_[op.a], tensors_[op.b], nullptr, false, shard, shards, blocksPerShard_);
    }
    case CONV_BIAS_GRADIENT: return runConvBiasGradient(tensors_[op.a], shard, blocksPerShard_, contribution + op.begin);
    case ZERO_GRADIENT:
      memset(contribution + op.begin, 0, (op.end - op.begin) * sizeof(float));
      return;
    default: return;
  }
}

void Program::evaluate(Context context, int shards, float* results) {
  float result[2];
  for (const Stage& stage : stages_) {
    if (stage.isBackward) break;
    // a shard stage: shard by shard; a wave stage: op by op, but the loss per shard
    const int outer = stage.isWave ? 1 : shards;
    for (int s = 0; s < outer; s++) {
      for (const Op& op : stage.ops) {
        if (op.record == LOSS) {
          const int from = stage.isWave ? 0 : s, to = stage.isWave ? shards : s + 1;
          for (int k = from; k < to; k++) {
            runLoss(losses_[op.index], context, k, result);
            results[2 * k] = result[0], results[2 * k + 1] = result[1];
          }
        } else if (op.record == DENSE || !stage.isWave) {
          run(op, context, s, stage.isWave ? shards : 1, nullptr);
        } else {
          for (int k = 0; k < shards; k++) run(op, context, k, 1, nullptr);
        }
      }
    }
  }
}

}  // namespace lockstep
