#include <algorithm>

#include "conv.h"

namespace lockstep {
namespace {

constexpr bool fits(int ob, int jb) { return ob * jb + std::min(ob, jb) + 1 <= REGISTERS; }

struct TileArguments {
  const float* in;             // tap origin of output pixel (0, 0)
  const int32_t* tapOffsets;   // of the tile's taps
  const float* dOut;           // the tile's first channel
  int64_t dOutChannel;
  int64_t inRow, dOutRow;      // floats from output row to output row
  int64_t inStep;              // floats from output pixel to output pixel
  int height, width;
  float* sums;                 // [channel of the tile][tap of the tile], and up to three more
};

template <int OB, int JB>
void weightTile(const TileArguments& a) {
  constexpr int ROWS = (OB * JB + 3) / 4 * 4;
  alignas(16) float parts[PARTS][ROWS];
  for (int h = 0; h < BLOCK; h += LR) {
    R acc[OB][JB];
    UNROLL for (int o = 0; o < OB; o++) UNROLL for (int j = 0; j < JB; j++) acc[o][j] = zero();
    for (int y = 0; y < a.height; y++) {
      const float* tap[JB];
      UNROLL for (int j = 0; j < JB; j++) tap[j] = a.in + h + a.tapOffsets[j] + y * a.inRow;
      const float* d = a.dOut + h + y * a.dOutRow;
      int64_t at = 0;
      for (int x = 0; x < a.width; x++, d += BLOCK, at += a.inStep) {
        if constexpr (OB <= JB) {
          R grad[OB];
          UNROLL for (int o = 0; o < OB; o++) {
            grad[o] = load(d + o * a.dOutChannel);
            if constexpr (JB > 1) KEEP(grad[o]);
          }
          UNROLL for (int j = 0; j < JB; j++) {
            R v = load(tap[j] + at);
            if constexpr (OB > 1) KEEP(v);
            UNROLL for (int o = 0; o < OB; o++) acc[o][j] = fma(grad[o], v, acc[o][j]);
          }
        } else {
          R v[JB];
          UNROLL for (int j = 0; j < JB; j++) {
            v[j] = load(tap[j] + at);
            if constexpr (OB > 1) KEEP(v[j]);
          }
          UNROLL for (int o = 0; o < OB; o++) {
            R grad = load(d + o * a.dOutChannel);
            if constexpr (JB > 1) KEEP(grad);
            UNROLL for (int j = 0; j < JB; j++) acc[o][j] = fma(grad, v[j], acc[o][j]);
          }
        }
      }
    }
    const auto row = [&](int r) INLINE_LAMBDA { return r < OB * JB ? acc[r / JB][r % JB] : zero(); };
    UNROLL for (int r = 0; r < ROWS; r += 4) partSums(row(r), row(r + 1), row(r + 2), row(r + 3), parts[h / LR] + r);
  }
  UNROLL for (int r = 0; r < ROWS; r += 4) joinParts(parts[0] + r, ROWS, a.sums + r);
}

using Tile = void (*)(const TileArguments&);

template <int OB, int JB>
constexpr Tile tileFor() {
  if constexpr (fits(OB, JB)) {
    return weightTile<OB, JB>;
  } else {
    return nullptr;
  }
}

template <int OB>
Tile tileOfTaps(int jb) {
  switch (jb) {
    case 1: return tileFor<OB, 1>();
    case 2: return tileFor<OB, 2>();
    case 3: return tileFor<OB, 3>();
    case 4: return tileFor<OB, 4>();
    case 5: return tileFor<OB, 5>();
    case 6: return tileFor<OB, 6>();
    case 9: return tileFor<OB, 9>();
    default: return nullptr;
  }
}

Tile findTile(int ob, int jb) {
  switch (ob) {
    case 1: return tileOfTaps<1>(jb);
    case 2: return tileOfTaps<2>(jb);
    case 3: return tileOfTaps<3>(jb);
    case 4: return tileOfTaps<4>(jb);
    case 5: return tileOfTaps<5>(jb);
    case 8: return tileOfTaps<8>(jb);
    default: return nullptr;
  }
}

constexpr int OUT_TILES[] = {1, 2, 3, 4, 5, 8};
constexpr int TAP_TILES[] = {1, 2, 3, 4, 5, 6, 9};
constexpr int MAX_TILE = 32;

double pixelCost(int ob, int jb) {
  return PARTS * std::max({ob * jb / 2.0, (ob + jb) / 2.0, 4.0}) + 0.7;
}

// Cost of covering n in tiles of size t, the last ones smaller
double coverCost(int outs, int taps, int ob, int jb) {
  double cost = 0;
  for (int o = 0; o < outs; o += ob) {
    for (int j = 0; j < taps; j += jb) cost += pixelCost(std::min(ob, outs - o), std::min(jb, taps - j));
  }
  return cost;
}

// n in tiles of size t, the rest in the largest that fit it
template <size_t N>
std::vector<int> cover(int n, int t, const int (&sizes)[N]) {
  std::vector<int> tiles;
  for (int at = 0; at < n; at += tiles.back()) {
    int best = 1;
    for (int size : sizes) {
      if (size <= std::min(t, n - at)) best = size;
    }
    tiles.push_back(best);
  }
  return tiles;
}

}  // namespace

ConvWeightPlan planConvWeightGradient(const ConvShape& s, const Tensor& in) {
  ConvWeightPlan plan{s, {}, {}, {}};
  const int outs = s.outChannels / s.groups, taps = s.inChannels / s.groups * s.kernel * s.kernel;
  double best = 1e300;
  int outTile = 1, tapTile = 1;
  for (int ob : OUT_TILES) {
    for (int jb : TAP_TILES) {
      if (!fits(ob, jb) || ob > outs || jb > taps) continue;
      const double cost = coverCost(outs, taps, ob, jb);
      if (cost < best) best = cost, outTile = ob, tapTile = jb;
    }
  }
  plan.outTiles = cover(outs, outTile, OUT_TILES);
  plan.tapTiles = cover(taps, tapTile, TAP_TILES);
  for (int c = 0; c < s.inChannels / s.groups; c++) {
    for (int k = 0; k < s.kernel * s.kernel; k++) {
      plan.tapOffsets.push_back((int32_t)(c * in.channelStride + k / s.kernel * in.rowStride + k % s.kernel * BLOCK));
    }
  }
  return plan;
}

void runConvWeightGradient(const ConvWeightPlan& plan, const Tensor& in, const Tensor& dOut, int shard,
                           int blocksPerShard, float* dWeight) {
  const ConvShape& s = plan.shape;
  const int outs = s.outChannels / s.groups, ins = s.inChannels / s.groups, taps = ins * s.kernel * s.kernel;
  float sums[MAX_TILE];
  for (int b = 0; b < blocksPerShard; b++) {
    const float* input = in.block(shard, b) - s.padding * in.rowStride - (int64_t)s.padding * BLOCK;
    const float* grad = dOut.block(shard, b);
    for (int g = 0; g < s.groups; g++) {
      int out = g * outs;
      for (const int ob : plan.outTiles) {
        int j = 0;
        for (const int jb : plan.tapTiles) {
          findTile(ob, jb)({input + (int64_t)g * ins * in.channelStride, plan.tapOffsets.data() + j,
                            grad + (int64_t)out * dOut.channelStride, dOut.channelStride, s.stride * in.rowStride, dOut.rowStride,
                            (int64_t)s.stride * BLOCK, s.outHeight, s.outWidth, sums});
          for (int i = 0; i < ob; i++) {
            float* to = dWeight + (int64_t)(out + i) * taps + j;
            for (int k = 0; k < jb; k++) to[k] = b == 0 ? sums[i * jb + k] : to[k] + sums[i * jb + k];
          }
          j += jb;
        }
        out += ob;
      }
    }
  }
}

void runConvBiasGradient(const Tensor& dOut, int shard, int blocksPerShard, float* dBias) {
  alignas(64) float lanes[BLOCK];
  for (int b = 0; b < blocksPerShard; b++) {
    for (int c = 0; c < dOut.channels; c++) {
      const float* channel = dOut.block(shard, b) + c * dOut.channelStride;
      for (int h = 0; h < BLOCK; h += LR) {
        R sum = zero();
        for (int y = 0; y < dOut.height; y++) {
          for (int x = 0; x < dOut.width; x++) sum = add(sum, load(channel + y * dOut.rowStride + x * BLOCK + h));
        }
        store(lanes + h, sum);
      }
      const float total = laneSum(lanes);
      dBias[c] = b == 0 ? total : dBias[c] + total;
    }
  }
}

}  // namespace lockstep
