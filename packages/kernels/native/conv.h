// Convolution forward and its two gradients, in the layout [channel][row][column][16 samples].
//
// Order of additions, the same for every tile and build:
// - output and input gradient: per lane one chain that starts at the bias (or 0) and adds the taps by channel, kernel
//   row, kernel column (input gradient: output channel, then kernel row and column ascending);
// - weight gradient: per lane one chain from 0 over rows, then columns; then laneSum; blocks of a shard are added in order.
#pragma once
#include <vector>
#include "tensor.h"

namespace lockstep {

// One multiply-add of a tile: input at `in` floats from the pixel's origin, weights of the tile's channels at `weight`.
struct Tap {
  int32_t in, weight;
};

struct ConvShape {
  int inChannels, outChannels, kernel, stride, padding, groups;
  int inHeight, inWidth, outHeight, outWidth;
};

// A set of output pixels that share their taps: all of them for stride 1, one per phase of an input gradient.
struct Phase {
  int row, column;        // first output row and column
  int rows, columns;      // how many
  int outStep;            // distance between output rows and columns
  int inRow, inColumn;    // input row and column of the first output pixel's tap origin
  std::vector<std::vector<Tap>> taps;  // per group
};

// Tiles that cover channels and columns: sizes in order.
struct Tiling {
  std::vector<int> channels, columns;
};

// A convolution as the tile kernel runs it: `weights` packed per channel tile as [tap][channel of the tile].
struct ConvPlan {
  ConvShape shape;
  bool isInputGradient;
  int outChannelsPerGroup;
  int inStep;             // distance between the input pixels of neighbouring outputs
  Tiling tiling;          // channels: per group
  std::vector<Phase> phases;
  std::vector<int> packSource;  // packed weight i comes from weights[packSource[i]]
  std::vector<float> packed;
};

// Plans out = conv(in); tensors give strides.
ConvPlan planConvForward(const ConvShape& shape, const Tensor& in, const Tensor& out);
// Plans dIn = gradient of in, from dOut (with a border of zeros wide enough).
ConvPlan planConvInputGradient(const ConvShape& shape, const Tensor& dOut, const Tensor& dIn);
// Packs the weights [out][in/groups][kernel][kernel] of a step.
void packWeights(ConvPlan& plan, const float* weights);
// out = conv(in) + bias (null: 0), with ReLU if asked, for the shards and blocks of the context.
void runConv(const ConvPlan& plan, const Tensor& in, const Tensor& out, const float* bias, bool withRelu, int firstShard,
             int shardCount, int blocksPerShard);

struct ConvWeightPlan {
  ConvShape shape;
  int outTile;                       // output channels of a tile
  int tapTile;                       // taps of a tile
  std::vector<int32_t> tapOffsets;   // [in channel of a group][row][column] -> floats from the pixel's origin
};
ConvWeightPlan planConvWeightGradient(const ConvShape& shape, const Tensor& in);
// dWeight [out][in/groups][kernel][kernel] of one shard (overwritten)
void runConvWeightGradient(const ConvWeightPlan& plan, const Tensor& in, const Tensor& dOut, int shard,
                           int blocksPerShard, float* dWeight);
// dBias [out] of one shard (overwritten): per lane over rows and columns, then laneSum, then blocks
void runConvBiasGradient(const Tensor& dOut, int shard, int blocksPerShard, float* dBias);

}  // namespace lockstep
