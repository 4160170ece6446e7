// Convolution forward and its two gradients, in the layout [channel][row][column][16 samples].
//
// Order of additions, the same for every tile and build:
// - output and input gradient: per lane one chain that starts at the bias (or 0) and adds the taps by channel, kernel
//   row, kernel column (input gradient: output channel, then kernel row and column ascending; depthwise: descending);
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

// Neighbouring output columns that one tile computes.
struct ColumnTile {
  int first, count;
};

// A set of output pixels that share their kernel positions: all of them, or one phase of a strided input gradient.
// Kernel positions that meet only zeros from outside the image are left out: for a row altogether, for a column when
// they do so for a whole tile. (Adding 0 changes nothing but the sign of a zero, and stores turn -0 into +0.)
struct Phase {
  int row, column;      // first output row and column
  int rows, columns;    // how many
  int outStep;          // distance between output rows and columns
  int inRow, inColumn;  // input row and column of the first output pixel's tap origin
  std::vector<ColumnTile> tiles;
  std::vector<int> rowClass;             // of each row: rows of a class meet the same kernel rows
  std::vector<std::vector<Tap>> taps;    // [row class][tile][group]
};

// A convolution as the tile kernel runs it: `packed` weights per channel tile as [tap][channel of the tile].
struct ConvPlan {
  ConvShape shape;
  bool isInputGradient;
  bool isDepthwise;     // 3x3, one channel per group, neighbouring pixels: a tile of its own
  int outChannelsPerGroup;
  int inStep;           // floats between the input pixels of neighbouring outputs
  std::vector<int> channelTiles;  // per group
  std::vector<Phase> phases;
  std::vector<int> packSource;    // packed weight i comes from weights[packSource[i]]
  std::vector<float> packed;
};

// Plans out = conv(in); tensors give strides.
ConvPlan planConvForward(const ConvShape& shape, const Tensor& in, const Tensor& out);
// Plans dIn = gradient of in, from dOut, which needs a border of zeros as wide as a kernel reaches.
ConvPlan planConvInputGradient(const ConvShape& shape, const Tensor& dOut, const Tensor& dIn);
// Packs the weights [out][in/groups][kernel][kernel] of a step.
void packWeights(ConvPlan& plan, const float* weights);
// out = conv(in) + bias (null: 0), with ReLU if asked, for the shards and blocks of the context.
void runConv(const ConvPlan& plan, const Tensor& in, const Tensor& out, const float* bias, bool withRelu, int firstShard,
             int shardCount, int blocksPerShard);

struct ConvWeightPlan {
  ConvShape shape;
  std::vector<int> outTiles;         // output channels of each tile
  std::vector<int> tapTiles;         // taps of each
  std::vector<int32_t> tapOffsets;   // [in channel of a group][row][column] -> floats from the pixel's origin
};
ConvWeightPlan planConvWeightGradient(const ConvShape& shape, const Tensor& in);
// dWeight [out][in/groups][kernel][kernel] of one shard (overwritten)
void runConvWeightGradient(const ConvWeightPlan& plan, const Tensor& in, const Tensor& dOut, int shard,
                           int blocksPerShard, float* dWeight);
// dBias [out] of one shard (overwritten): per lane over rows and columns, then laneSum, then blocks
void runConvBiasGradient(const Tensor& dOut, int shard, int blocksPerShard, float* dBias);

}  // namespace lockstep
