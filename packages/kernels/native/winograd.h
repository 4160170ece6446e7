// 3x3 convolution by Winograd's F(4x4, 3x3) (Lavin and Gray, arXiv:1509.09308, points 0, 1, -1, 2, -2): 36 multiplications
// for 16 outputs where the direct way takes 144.
//
// Which layers use it is a fixed function of their shape, part of the arithmetic that all builds share. Order of
// operations: weights and inputs are transformed along columns, then rows, as spelled out in winograd.cc; per output
// tile and position one chain from 0 over input channels ascending; the output transform along columns, then rows;
// then the bias.
#pragma once
#include <vector>
#include "conv.h"

namespace lockstep {

// out (height x width x outs) = 3x3 correlation of in, whose pixel (0, 0) of the window stands at (-shift, -shift).
struct WinogradPlan {
  int ins, outs, height, width, shift;
  bool isInputGradient;
  int tileRows, tileColumns;
  std::vector<int> strips;        // tiles (of a part of the lanes) transformed and multiplied at a time, the most first
  std::vector<int> channelTiles;  // sizes that cover outs
  std::vector<float> weights;     // [channel tile][position 36][in][channel of the tile], transformed
};

// Whether a convolution of this shape (seen from its outputs) is done by Winograd.
bool usesWinograd(int kernel, int stride, int groups, int ins, int outs, int height, int width);
WinogradPlan planWinograd(const ConvShape& shape, bool isInputGradient);
// Transforms the weights [out][in][3][3] of a step; for an input gradient turned around and with in and out swapped.
void transformWeights(WinogradPlan& plan, const float* weights);
// Floats of scratch that runWinograd needs, aligned to 64 bytes.
int64_t winogradScratch(const WinogradPlan& plan);
void runWinograd(const WinogradPlan& plan, const Tensor& in, const Tensor& out, const float* bias, bool withRelu,
                 int firstShard, int shardCount, int blocksPerShard, float* scratch);

// ---- weight gradient: F(3x3, 4x4), the same transform of the input against 4x4 tiles of dOut ----
//
// Order of additions: per strip of tiles, per position and lane one chain from 0 over its tiles; laneSum; strips in
// order; then the output transform along columns, then rows; blocks of a shard in order. The strips are a fixed function
// of the shape too.
struct WinogradGradientPlan {
  int ins, outs, height, width, padding;  // of dOut
  int tileRows, tileColumns;
  std::vector<int> strips;                // tiles of each
  bool isByLines;                         // a band of lines transformed and multiplied at a time, not all
};

bool usesWinogradGradient(const ConvShape& shape);
WinogradGradientPlan planWinogradGradient(const ConvShape& shape);
int64_t winogradGradientScratch(const WinogradGradientPlan& plan);
// dWeight [out][in][3][3] of one shard (overwritten). dOut needs zeros behind it up to a multiple of 4.
void runWinogradGradient(const WinogradGradientPlan& plan, const Tensor& in, const Tensor& dOut, int shard,
                         int blocksPerShard, float* dWeight, float* scratch);

}  // namespace lockstep
