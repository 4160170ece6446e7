#include "conv.h"

#include <algorithm>
#include <functional>

namespace lockstep {
namespace {

// ---- the tile: OB channels x XB columns in registers, over all taps ----

constexpr int CHANNEL_TILES[] = {1, 2, 3, 4, 5, 6, 8, 10, 12, 16};
constexpr int MOST_CHANNELS = 16, MAX_COLUMNS = 8;

// Accumulators, the smaller side and one more must fit; one register less where a weight can be a memory operand.
constexpr bool fits(int ob, int xb) {
  const int smaller = ob < xb ? ob : xb;
  const int spare = (LR == 16 && ob <= xb && ob > 1) ? 1 : 0;
  return ob * xb + smaller + 1 - spare <= REGISTERS;
}

struct TileArguments {
  const float* in;      // tap origin of the first output pixel
  const Tap* taps;
  int tapCount;
  const float* weights; // of this channel tile
  const float* bias;    // of this channel tile, or null
  float* out;           // first output pixel of the tile's first channel
  int64_t outChannel;   // floats from channel to channel
  int64_t outStep;      // floats from pixel to pixel
  int64_t inStep;       // floats from pixel to pixel
  bool withRelu;
};

template <int OB, int XB, bool UNIT>
void convTile(const TileArguments& a) {
  const int64_t inStep = UNIT ? BLOCK : a.inStep;
  for (int h = 0; h < BLOCK; h += LR) {
    R acc[OB][XB];
    UNROLL for (int o = 0; o < OB; o++) {
      const R start = a.bias ? splat(a.bias[o]) : zero();
      UNROLL for (int i = 0; i < XB; i++) acc[o][i] = start;
    }
    const float* origin = a.in + h;
    for (int t = 0; t < a.tapCount; t++) {
      const float* in = origin + a.taps[t].in;
      const float* w = a.weights + a.taps[t].weight * OB;
      HIDE(in);
      if constexpr (OB <= XB) {
        constexpr int HELD = OB * XB + OB + 1 <= REGISTERS ? OB : OB - 1;
        R weight[OB];
        UNROLL for (int o = 0; o < HELD; o++) weight[o] = splat(w[o]);
        UNROLL for (int i = 0; i < XB; i++) {
          R v = load(in + i * inStep);
          if constexpr (OB > 1) KEEP(v);
          UNROLL for (int o = 0; o < HELD; o++) acc[o][i] = fma(weight[o], v, acc[o][i]);
          if constexpr (HELD < OB) fmaMemory(acc[OB - 1][i], v, w + OB - 1);
        }
      } else {
        R v[XB];
        UNROLL for (int i = 0; i < XB; i++) v[i] = load(in + i * inStep);
        UNROLL for (int o = 0; o < OB; o++) {
          R weight = splat(w[o]);
          if constexpr (XB > 1) KEEP(weight);
          UNROLL for (int i = 0; i < XB; i++) acc[o][i] = fma(weight, v[i], acc[o][i]);
        }
      }
    }
    float* out = a.out + h;
    UNROLL for (int o = 0; o < OB; o++) {
      UNROLL for (int i = 0; i < XB; i++) {
        const R value = add(acc[o][i], zero());  // -0 becomes +0
        store(out + o * a.outChannel + i * a.outStep, a.withRelu ? relu(value) : value);
      }
    }
  }
}

using Tile = void (*)(const TileArguments&);

template <int OB, int XB>
constexpr Tile tileFor(bool unit) {
  if constexpr (fits(OB, XB)) {
    return unit ? convTile<OB, XB, true> : convTile<OB, XB, false>;
  } else {
    return nullptr;
  }
}

template <int OB>
Tile tileOfColumns(int xb, bool unit) {
  switch (xb) {
    case 1: return tileFor<OB, 1>(unit);
    case 2: return tileFor<OB, 2>(unit);
    case 3: return tileFor<OB, 3>(unit);
    case 4: return tileFor<OB, 4>(unit);
    case 5: return tileFor<OB, 5>(unit);
    case 6: return tileFor<OB, 6>(unit);
    case 7: return tileFor<OB, 7>(unit);
    case 8: return tileFor<OB, 8>(unit);
    default: return nullptr;
  }
}

Tile findTile(int ob, int xb, bool unit) {
  switch (ob) {
    case 1: return tileOfColumns<1>(xb, unit);
    case 2: return tileOfColumns<2>(xb, unit);
    case 3: return tileOfColumns<3>(xb, unit);
    case 4: return tileOfColumns<4>(xb, unit);
    case 5: return tileOfColumns<5>(xb, unit);
    case 6: return tileOfColumns<6>(xb, unit);
    case 8: return tileOfColumns<8>(xb, unit);
    case 10: return tileOfColumns<10>(xb, unit);
    case 12: return tileOfColumns<12>(xb, unit);
    case 16: return tileOfColumns<16>(xb, unit);
    default: return nullptr;
  }
}

// A 3x3 depthwise row tile: every input is loaded once per kernel row and used for three outputs.
template <int XB>
void depthwiseTile(const float* in, int64_t inRow, const float* w, const float* bias, float* out, bool withRelu) {
  for (int h = 0; h < BLOCK; h += LR) {
    R acc[XB];
    UNROLL for (int i = 0; i < XB; i++) acc[i] = bias ? splat(*bias) : zero();
    for (int ky = 0; ky < 3; ky++) {
      const float* row = in + ky * inRow + h;
      const R w0 = splat(w[3 * ky]), w1 = splat(w[3 * ky + 1]), w2 = splat(w[3 * ky + 2]);
      R v[XB + 2];
      UNROLL for (int i = 0; i < XB + 2; i++) {
        v[i] = load(row + i * BLOCK);
        KEEP(v[i]);
      }
      UNROLL for (int i = 0; i < XB; i++) acc[i] = fma(w0, v[i], acc[i]);
      UNROLL for (int i = 0; i < XB; i++) acc[i] = fma(w1, v[i + 1], acc[i]);
      UNROLL for (int i = 0; i < XB; i++) acc[i] = fma(w2, v[i + 2], acc[i]);
    }
    UNROLL for (int i = 0; i < XB; i++) {
      const R value = add(acc[i], zero());
      store(out + i * BLOCK + h, withRelu ? relu(value) : value);
    }
  }
}

using DepthwiseTile = void (*)(const float*, int64_t, const float*, const float*, float*, bool);
constexpr int DEPTHWISE_COLUMNS = REGISTERS >= 32 ? 8 : 4;
constexpr DepthwiseTile DEPTHWISE[] = {nullptr, depthwiseTile<1>, depthwiseTile<2>, depthwiseTile<3>, depthwiseTile<4>,
                                       depthwiseTile<5>, depthwiseTile<6>, depthwiseTile<7>, depthwiseTile<8>};

// Cycles of a tap, measured on Zen 5: two multiply-adds a cycle, a latency of 4, loads and loop overhead.
double tapCost(int ob, int xb) {
  return PARTS * std::max({ob * xb / 2.0, (ob + xb) / 2.0, xb == 1 ? ob * 0.55 + 1.6 : 3.3}) + 0.6;
}

// What a tile costs beside its taps: the call, and storing.
double tileCost(int ob, int xb) { return 12 + PARTS * ob * xb * 1.2; }

// n cut into `pieces` sizes that differ by at most 1, the smaller ones at both ends
std::vector<int> balance(int n, int pieces) {
  std::vector<int> sizes(pieces, n / pieces);
  for (int i = 0; i < n % pieces; i++) sizes[(pieces - n % pieces) / 2 + i]++;
  return sizes;
}

std::vector<ColumnTile> tilesOf(const std::vector<int>& sizes) {
  std::vector<ColumnTile> tiles;
  int at = 0;
  for (int size : sizes) tiles.push_back({at, size}), at += size;
  return tiles;
}

// Whether output `at` (of a phase) meets the image at kernel position k.
using Meets = std::function<bool(int at, int k)>;

int kernelColumns(const Meets& meets, const ColumnTile& tile, int kernel) {
  int count = 0;
  for (int k = 0; k < kernel; k++) {
    bool any = false;
    for (int x = tile.first; x < tile.first + tile.count; x++) any |= meets(x, k);
    count += any;
  }
  return count;
}

struct Tiling {
  std::vector<int> channels, columns;
};

// What one channel tile of each size costs over all column tiles; 0 where it does not fit with the widest of them.
std::vector<double> channelTileCosts(const std::vector<ColumnTile>& tiles, int widest, int kernel, int tapsPerColumn, const Meets& meets) {
  std::vector<double> costs(MOST_CHANNELS + 1);
  for (const ColumnTile& tile : tiles) {
    const int taps = kernelColumns(meets, tile, kernel) * tapsPerColumn;
    for (int o : CHANNEL_TILES) {
      if (fits(o, widest)) costs[o] += tapCost(o, tile.count) * taps + tileCost(o, tile.count);
    }
  }
  return costs;
}

// The cheapest cover of channels x columns by tiles that fit. Only speed depends on it. Balanced pieces have two sizes at
// most, so the cost of a cover is the costs of these two, as often as each occurs.
Tiling chooseTiling(int channels, int columns, int kernel, int tapsPerColumn, const Meets& meets) {
  double bestCost = 1e300;
  int channelPieces = 0, columnPieces = 0;
  for (int n = (columns + MAX_COLUMNS - 1) / MAX_COLUMNS; n <= columns; n++) {
    const std::vector<ColumnTile> tiles = tilesOf(balance(columns, n));
    const int widest = (columns + n - 1) / n;
    const std::vector<double> costs = channelTileCosts(tiles, widest, kernel, tapsPerColumn, meets);
    for (int m = (channels + MOST_CHANNELS - 1) / MOST_CHANNELS; m <= channels; m++) {
      const int smaller = channels / m, larger = channels % m;  // how large the smaller are, how many are larger by 1
      if (costs[smaller] == 0 || (larger > 0 && costs[smaller + 1] == 0)) continue;
      const double cost = (m - larger) * costs[smaller] + (larger > 0 ? larger * costs[smaller + 1] : 0);
      if (cost < bestCost) bestCost = cost, channelPieces = m, columnPieces = n;
    }
  }
  return {balance(channels, channelPieces), balance(columns, columnPieces)};
}

// ---- packing ----

int weightIndex(const ConvShape& s, int out, int in, int ky, int kx) {
  return ((out * (s.inChannels / s.groups) + in) * s.kernel + ky) * s.kernel + kx;
}

int floorDiv(int a, int b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

// Tap `weight` is the index of the tap in the group's full list; every channel tile packs the full list.
void fillPack(ConvPlan& plan) {
  const ConvShape& s = plan.shape;
  const int inPerGroup = s.inChannels / s.groups, outPerGroup = s.outChannels / s.groups;
  const int reduced = plan.isInputGradient ? outPerGroup : inPerGroup;
  for (int g = 0; g < s.groups; g++) {
    int first = 0;
    for (int ob : plan.channelTiles) {
      for (int c = 0; c < reduced; c++) {
        for (int k = 0; k < s.kernel * s.kernel; k++) {
          for (int o = 0; o < ob; o++) {
            const int mine = first + o;
            const int out = plan.isInputGradient ? g * outPerGroup + c : g * outPerGroup + mine;
            const int in = plan.isInputGradient ? mine : c;
            plan.packSource.push_back(weightIndex(s, out, in, k / s.kernel, k % s.kernel));
          }
        }
      }
      first += ob;
    }
  }
  plan.packed.resize(plan.packSource.size());
}

// Fills a phase's tiles, row classes and taps. offsetOf: floats from the tap origin to (channel, ky, kx) of a group.
template <typename OffsetOf>
void fillPhase(Phase& phase, const ConvPlan& plan, const std::vector<int>& columns, int reduced, const Meets& rowMeets,
               const Meets& columnMeets, OffsetOf offsetOf) {
  const int kernel = plan.shape.kernel;
  int at = 0;
  for (int size : columns) {
    const int count = std::min(size, phase.columns - at);
    if (count > 0) phase.tiles.push_back({at, count});
    at += size;
  }
  std::vector<std::vector<bool>> classes;
  for (int y = 0; y < phase.rows; y++) {
    std::vector<bool> met(kernel);
    for (int k = 0; k < kernel; k++) met[k] = rowMeets(y, k);
    const auto known = std::find(classes.begin(), classes.end(), met);
    phase.rowClass.push_back((int)(known - classes.begin()));
    if (known == classes.end()) classes.push_back(met);
  }
  for (const std::vector<bool>& met : classes) {
    for (const ColumnTile& tile : phase.tiles) {
      std::vector<bool> columnMet(kernel);
      for (int k = 0; k < kernel; k++) {
        for (int x = tile.first; x < tile.first + tile.count; x++) columnMet[k] = columnMet[k] || columnMeets(x, k);
      }
      for (int g = 0; g < plan.shape.groups; g++) {
        std::vector<Tap> taps;
        for (int c = 0; c < reduced; c++) {
          for (int ky = 0; ky < kernel; ky++) {
            for (int kx = 0; kx < kernel; kx++) {
              if (met[ky] && columnMet[kx]) taps.push_back({(int32_t)offsetOf(g, c, ky, kx), (c * kernel + ky) * kernel + kx});
            }
          }
        }
        phase.taps.push_back(taps);
      }
    }
  }
}

}  // namespace

ConvPlan planConvForward(const ConvShape& s, const Tensor& in, const Tensor& out) {
  const int inPerGroup = s.inChannels / s.groups;
  const bool isDepthwise = s.kernel == 3 && s.stride == 1 && inPerGroup == 1 && s.outChannels == s.groups;
  ConvPlan plan{s, false, isDepthwise, s.outChannels / s.groups, s.stride * BLOCK, {}, {}, {}, {}};
  const Meets rowMeets = [&](int y, int k) { return y * s.stride - s.padding + k >= 0 && y * s.stride - s.padding + k < s.inHeight; };
  const Meets columnMeets = [&](int x, int k) { return x * s.stride - s.padding + k >= 0 && x * s.stride - s.padding + k < s.inWidth; };
  const Tiling tiling = chooseTiling(plan.outChannelsPerGroup, out.width, s.kernel, inPerGroup * s.kernel, columnMeets);
  plan.channelTiles = tiling.channels;
  Phase phase{0, 0, s.outHeight, s.outWidth, 1, -s.padding, -s.padding, {}, {}, {}};
  fillPhase(phase, plan, tiling.columns, inPerGroup, rowMeets, columnMeets, [&](int g, int c, int ky, int kx) {
    return (g * inPerGroup + c) * in.channelStride + ky * in.rowStride + kx * BLOCK;
  });
  plan.phases.push_back(phase);
  fillPack(plan);
  return plan;
}

// Input pixel (y, x) meets output pixel ((y + padding - ky) / stride, ...) where that divides: for each phase of
// (y, x) modulo stride the same kernel positions do, so each phase is a convolution of stride 1 with a list of its own.
ConvPlan planConvInputGradient(const ConvShape& s, const Tensor& dOut, const Tensor& dIn) {
  const int outPerGroup = s.outChannels / s.groups;
  const bool isDepthwise = s.kernel == 3 && s.stride == 1 && outPerGroup == 1 && s.inChannels == s.groups;
  ConvPlan plan{s, true, isDepthwise, s.inChannels / s.groups, BLOCK, {}, {}, {}, {}};
  // the output row (column) that input row `at` of a phase meets at kernel row k, or none
  auto met = [&s](int first, int at, int k, int size) {
    const int position = first + at * s.stride + s.padding - k;
    return position % s.stride == 0 && position >= 0 && position / s.stride < size;
  };
  const Meets firstPhase = [&](int x, int k) { return met(0, x, k, s.outWidth); };
  const Tiling tiling = chooseTiling(plan.outChannelsPerGroup, (dIn.width + s.stride - 1) / s.stride, s.kernel,
                                     outPerGroup * s.kernel, firstPhase);
  plan.channelTiles = tiling.channels;
  for (int py = 0; py < std::min(s.stride, s.inHeight); py++) {
    for (int px = 0; px < std::min(s.stride, s.inWidth); px++) {
      Phase phase{py, px, (s.inHeight - py + s.stride - 1) / s.stride, (s.inWidth - px + s.stride - 1) / s.stride, s.stride, 0, 0, {}, {}, {}};
      fillPhase(phase, plan, tiling.columns, outPerGroup, [&](int y, int k) { return met(py, y, k, s.outHeight); },
                [&](int x, int k) { return met(px, x, k, s.outWidth); }, [&](int g, int c, int ky, int kx) {
                  return (g * outPerGroup + c) * dOut.channelStride + floorDiv(py + s.padding - ky, s.stride) * dOut.rowStride +
                         (int64_t)floorDiv(px + s.padding - kx, s.stride) * BLOCK;
                });
      plan.phases.push_back(phase);
    }
  }
  fillPack(plan);
  return plan;
}

void packWeights(ConvPlan& plan, const float* weights) {
  const int* source = plan.packSource.data();
  float* packed = plan.packed.data();
  for (size_t i = 0; i < plan.packSource.size(); i++) packed[i] = weights[source[i]];
}

namespace {

// 3x3 with one channel per group; the input gradient is the same with the kernel turned around.
void runDepthwise(const ConvPlan& plan, const float* input, float* output, const Tensor& in, const Tensor& out,
                  const float* bias, bool withRelu) {
  const ConvShape& s = plan.shape;
  const int shift = plan.isInputGradient ? 2 - s.padding : s.padding;
  for (int c = 0; c < s.groups; c++) {
    float w[9];
    for (int k = 0; k < 9; k++) w[k] = plan.packed[c * 9 + (plan.isInputGradient ? 8 - k : k)];
    for (int y = 0; y < out.height; y++) {
      const float* inRow = input + c * in.channelStride + (y - shift) * in.rowStride - (int64_t)shift * BLOCK;
      float* outRow = output + c * out.channelStride + y * out.rowStride;
      const int pieces = (out.width + DEPTHWISE_COLUMNS - 1) / DEPTHWISE_COLUMNS;
      for (int piece = 0, x = 0; piece < pieces; piece++) {
        const int columns = (out.width - x + pieces - piece - 1) / (pieces - piece);
        DEPTHWISE[columns](inRow + (int64_t)x * BLOCK, in.rowStride, w, bias ? bias + c : nullptr, outRow + (int64_t)x * BLOCK, withRelu);
        x += columns;
      }
    }
  }
}

void runPhase(const ConvPlan& plan, const Phase& phase, const float* input, float* output, const Tensor& in,
              const Tensor& out, const float* bias, bool withRelu) {
  const ConvShape& s = plan.shape;
  const int reduced = (plan.isInputGradient ? s.outChannels : s.inChannels) / s.groups;
  const int64_t packedPerChannel = (int64_t)reduced * s.kernel * s.kernel;
  const bool isUnit = plan.inStep == BLOCK;
  const int tiles = (int)phase.tiles.size();
  for (int y = 0; y < phase.rows; y++) {
    const float* inRow = input + (int64_t)(phase.inRow + y * (plan.inStep / BLOCK)) * in.rowStride + (int64_t)phase.inColumn * BLOCK;
    float* outRow = output + (int64_t)(phase.row + y * phase.outStep) * out.rowStride + (int64_t)phase.column * BLOCK;
    for (int t = 0; t < tiles; t++) {
      const ColumnTile& tile = phase.tiles[t];
      const float* packed = plan.packed.data();
      int channel = 0;
      for (int g = 0; g < s.groups; g++) {
        const std::vector<Tap>& taps = phase.taps[((size_t)phase.rowClass[y] * tiles + t) * s.groups + g];
        for (int ob : plan.channelTiles) {
          TileArguments a{inRow + (int64_t)tile.first * plan.inStep, taps.data(), (int)taps.size(), packed,
                          bias ? bias + channel : nullptr,
                          outRow + (int64_t)tile.first * phase.outStep * BLOCK + channel * out.channelStride,
                          out.channelStride, (int64_t)phase.outStep * BLOCK, plan.inStep, withRelu};
          findTile(ob, tile.count, isUnit)(a);
          packed += packedPerChannel * ob;
          channel += ob;
        }
      }
    }
  }
}

}  // namespace

void runConv(const ConvPlan& plan, const Tensor& in, const Tensor& out, const float* bias, bool withRelu, int firstShard,
             int shardCount, int blocksPerShard) {
  for (int shard = firstShard; shard < firstShard + shardCount; shard++) {
    for (int b = 0; b < blocksPerShard; b++) {
      const float* input = in.block(shard, b);
      float* output = out.block(shard, b);
      if (plan.isDepthwise) {
        runDepthwise(plan, input, output, in, out, bias, withRelu);
      } else {
        for (const Phase& phase : plan.phases) runPhase(plan, phase, input, output, in, out, bias, withRelu);
      }
    }
  }
}

}  // namespace lockstep
