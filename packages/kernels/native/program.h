// A model as a flat list of kernel calls over one scratch memory, and its interpreter.
//
// A wave is 1, 2, 4, ... neighbouring shards, the range of a partial of the canonical tree. Stages run in order; a shard stage passes
// one shard after the other through all its ops (activations stay in cache), a wave stage passes all shards through
// one op after the other (dense weights are read once). The encoding is written by packages/kernels/src/program.ts.
#pragma once
#include <vector>
#include "conv.h"
#include "dense.h"
#include "input.h"
#include "loss.h"
#include "ownership.h"
#include "post.h"
#include "winograd.h"

namespace lockstep {

// Records of the encoded program: [record, payload length, payload...]; floats as their bits.
enum Record : int32_t {
  TENSOR = 1,
  NORM = 2,
  DROPOUT_BITS = 3,
  ROUNDING = 4,
  STAGE = 10,
  INPUT = 11,
  DROPOUT_MASK = 12,
  CONV = 13,
  NORM_FORWARD = 14,
  POST = 15,
  AVERAGE_POOL = 16,
  DENSE = 17,
  LOSS = 18,
  DENSE_WEIGHT_GRADIENT = 19,
  DENSE_INPUT_GRADIENT = 20,
  AVERAGE_POOL_BACKWARD = 21,
  POST_BACKWARD = 22,
  APPLY = 23,
  CONV_WEIGHT_GRADIENT = 24,
  CONV_INPUT_GRADIENT = 25,
  CONV_BIAS_GRADIENT = 26,
  ZERO_GRADIENT = 27,
  NORM_BACKWARD = 40,
};

struct Op {
  Record record;
  int index;          // of the op's description in the program's list for its record
  int a = -1, b = -1; // tensors: dOut, dIn
  int64_t begin = 0, end = 0;  // what it writes of the contribution; of a dense layer the weights, whose bias is added up apart
  double nanoseconds = 0;  // while a profile is taken
};

struct ConvOp {
  int in, out, weight, bias;
  ConvShape shape;
  bool withRelu;
  bool winogradForward = false, winogradInputGradient = false;
  WinogradPlan forwardW, inputGradientW;
  bool winogradWeightGradient = false;
  WinogradGradientPlan weightGradientW;
  ConvPlan forward, inputGradient;
  ConvWeightPlan weightGradient;
  bool hasInputGradient = false;
};

struct Stage {
  bool isWave, isBackward;
  std::vector<Op> ops;
};

// How an op computes, in a profile
enum Algorithm { PASS, DIRECT, DEPTHWISE, WINOGRAD, PRODUCT };

// What of a contribution is computed. The last stage of a program with a wave stage takes the shards back to the image
// and writes only the contribution's first floats, so that the others can be used while it runs.
enum Part : int32_t { WHOLE, ALL_BUT_LAST_STAGE, LAST_STAGE };

// How far a norm has come in a step
enum NormStep { NOTHING_YET, WENT_FORWARD, WENT_BACK };
// What ops of a step have worked out for later ones: norms by how far they have come, dropouts by whether there is a mask
struct Prepared {
  std::vector<NormStep> norms;
  std::vector<bool> masks;
};

// Whether a convolution's tensors have its shapes, and the borders of zeros that its kernels read; in check.cc.
bool fitsConv(const ConvShape& shape, const Tensor& in);
bool fitsConvGradient(const ConvShape& shape, const Tensor& dOut);
bool fitsConvInputGradient(const ConvShape& shape, const Tensor& dOut, const Tensor& dIn, bool isWinograd);

class Program {
 public:
  // Returns null with a text in `error` when the encoding is malformed.
  static Program* parse(const int32_t* code, size_t length, const char** error);
  ~Program();

  int waveShards() const { return waveShards_; }
  int classes() const { return losses_.empty() ? 0 : losses_[0].logits.channels; }
  int blocksPerShard() const { return blocksPerShard_; }
  const Rounding& rounding() const { return rounding_; }
  // Packs the weights of a state; before a step or an evaluation.
  void prepare(const float* state, bool train);
  // Floats at the contribution's start that shard stages write: what the last stage of a program with a wave stage gives
  int prefix() const { return prefix_; }
  // Floats of a contribution, at the least: where the last range ends that an op writes
  int64_t extent() const { return extent_; }
  // Contribution of shards [context.firstShard, + shards) to `partial`; shards is a power of two up to waveShards().
  void contribute(Context context, int shards, float* partial, Part part = WHOLE);
  // Times every op until takeProfile, which returns [record, index, nanoseconds, algorithm] of each op in program order.
  void startProfile();
  std::vector<double> takeProfile();
  // Forward only: [loss sum, correct count] of each shard to `results`
  void evaluate(Context context, int shards, float* results);

 private:
  Program() = default;
  // What is wrong with a parsed program, or null; in check.cc
  const char* findFault();
  void followOp(const Op& op, Ownership& own) const;
  void followPrepared(const Op& op, Prepared& prepared, Ownership& own) const;
  void runStage(Stage& stage, Context& context, int shards, float* partial, float* leaves);
  void runTimed(Op& op, const Context& context, int shard, int shards, float* contribution);
  Algorithm algorithmOf(const Op& op) const;
  void run(const Op& op, const Context& context, int shard, int shards, float* contribution);
  void runWaveOp(Op& op, const Context& context, int shards, float* partial);

  int waveShards_ = 1, blocksPerShard_ = 1;
  int prefix_ = 0;  // floats at the contribution's start that shard stages write
  int64_t extent_ = 0;
  void* scratch_ = nullptr;
  size_t scratchBytes_ = 0;
  float* winograd_ = nullptr;  // scratch of Winograd's transforms
  int64_t winogradFloats_ = 0;
  std::vector<float> winogradMemory_;
  float* leaves_ = nullptr;  // [shard of wave][prefix_]
  std::vector<float> waveLeaves_;
  Rounding rounding_;
  Places places_{0, 1, 1};
  std::vector<Tensor> tensors_;
  std::vector<NormOp> norms_;
  std::vector<DropoutOp> dropouts_;
  std::vector<InputOp> inputs_;
  std::vector<ConvOp> convs_;
  std::vector<PostOp> posts_;
  std::vector<PostBackwardOp> postBackwards_;
  std::vector<NormBackwardOp> normBackwards_;
  std::vector<ApplyOp> applies_;
  std::vector<AveragePoolOp> averagePools_;
  std::vector<DenseOp> denses_;
  std::vector<LossOp> losses_;
  std::vector<Stage> stages_;
  std::vector<double> sumG_, sumGy_;
  bool profiles_ = false;
};

}  // namespace lockstep
