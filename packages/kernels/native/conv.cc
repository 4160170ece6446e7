#include "conv.h"

#include <algorithm>

namespace lockstep {
namespace {

// ---- the tile: OB channels x XB columns in registers, over all taps ----

constexpr int CHANNEL_TILES[] = {1, 2, 3, 4, 5, 6, 8, 10, 12, 16};
constexpr int MAX_COLUMNS = 8;

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
          const R v = load(in + i * inStep);
          UNROLL for (int o = 0; o < HELD; o++) acc[o][i] = fma(weight[o], v, acc[o][i]);
          if constexpr (HELD < OB) fmaMemory(acc[OB - 1][i], v, w + OB - 1);
        }
      } else {
        R v[XB];
        UNROLL for (int i = 0; i < XB; i++) v[i] = load(in + i * inStep);
        UNROLL for (int o = 0; o < OB; o++) {
          const R weight = splat(w[o]);
          UNROLL for (int i = 0; i < XB; i++) acc[o][i] = fma(weight, v[i], acc[o][i]);
        }
      }
    }
    float* out = a.out + h;
    UNROLL for (int o = 0; o < OB; o++) {
      UNROLL for (int i = 0; i < XB; i++) {
        store(out + o * a.outChannel + i * a.outStep, a.withRelu ? relu(acc[o][i]) : acc[o][i]);
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

// Cycles of a tap, roughly: two multiply-adds a cycle, two loads a cycle, a latency of 4, and loop overhead.
double tapCost(int ob, int xb) {
  const double parts = PARTS;
  return parts * std::max({ob * xb / 2.0, (ob + xb) / 2.0 + 0.5, 4.0}) + 0.5;
}

bool isChannelTile(int n) { return std::find(std::begin(CHANNEL_TILES), std::end(CHANNEL_TILES), n) != std::end(CHANNEL_TILES); }

// n cut into `pieces` sizes that differ by at most 1
std::vector<int> balance(int n, int pieces) {
  std::vector<int> sizes(pieces, n / pieces);
  for (int i = 0; i < n % pieces; i++) sizes[i]++;
  return sizes;
}

// The cheapest cover of channels x columns by tiles that fit. Only speed depends on it.
Tiling chooseTiling(int channels, int columns) {
  Tiling best;
  double bestCost = 1e300;
  for (int n = 1; n <= columns; n++) {
    const std::vector<int> xs = balance(columns, n);
    if (xs[0] > MAX_COLUMNS) continue;
    for (int m = 1; m <= channels; m++) {
      const std::vector<int> os = balance(channels, m);
      if (os[0] > 16) continue;
      double cost = 0;
      for (int o : os) {
        for (int x : {xs.front(), xs.back()}) {
          if (!isChannelTile(o) || !fits(o, x)) cost = 1e301;
        }
        if (cost > bestCost) break;
        for (int x : xs) cost += tapCost(o, x);
      }
      if (cost < bestCost) bestCost = cost, best = {os, xs};
    }
  }
  return best;
}

// ---- packing ----

struct TapSource {
  int channel, row, column;  // input channel within the group (forward) or output channel (input gradient); kernel position
};

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
    for (int ob : plan.tiling.channels) {
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

}  // namespace

ConvPlan planConvForward(const ConvShape& s, const Tensor& in, const Tensor& out) {
  ConvPlan plan{s, false, s.outChannels / s.groups, s.stride * BLOCK, {}, {}, {}, {}};
  plan.tiling = chooseTiling(plan.outChannelsPerGroup, out.width);
  Phase phase{0, 0, s.outHeight, s.outWidth, 1, -s.padding, -s.padding, {}};
  const int inPerGroup = s.inChannels / s.groups;
  for (int g = 0; g < s.groups; g++) {
    std::vector<Tap> taps;
    for (int c = 0; c < inPerGroup; c++) {
      for (int k = 0; k < s.kernel * s.kernel; k++) {
        const int64_t offset = (g * inPerGroup + c) * in.channelStride + k / s.kernel * in.rowStride + k % s.kernel * BLOCK;
        taps.push_back({(int32_t)offset, c * s.kernel * s.kernel + k});
      }
    }
    phase.taps.push_back(taps);
  }
  plan.phases.push_back(phase);
  fillPack(plan);
  return plan;
}

// Input pixel (y, x) meets output pixel ((y + padding - ky) / stride, ...) where that divides: for each phase of
// (y, x) modulo stride the same kernel positions do, so each phase is a convolution of stride 1 with a list of its own.
ConvPlan planConvInputGradient(const ConvShape& s, const Tensor& dOut, const Tensor& dIn) {
  ConvPlan plan{s, true, s.inChannels / s.groups, BLOCK, {}, {}, {}, {}};
  plan.tiling = chooseTiling(plan.outChannelsPerGroup, (dIn.width + s.stride - 1) / s.stride);
  const int outPerGroup = s.outChannels / s.groups;
  for (int py = 0; py < std::min(s.stride, s.inHeight); py++) {
    for (int px = 0; px < std::min(s.stride, s.inWidth); px++) {
      Phase phase{py, px, (s.inHeight - py + s.stride - 1) / s.stride, (s.inWidth - px + s.stride - 1) / s.stride, s.stride, 0, 0, {}};
      for (int g = 0; g < s.groups; g++) {
        std::vector<Tap> taps;
        for (int c = 0; c < outPerGroup; c++) {
          for (int ky = 0; ky < s.kernel; ky++) {
            for (int kx = 0; kx < s.kernel; kx++) {
              const int ry = py + s.padding - ky, rx = px + s.padding - kx;
              if (floorDiv(ry, s.stride) * s.stride != ry || floorDiv(rx, s.stride) * s.stride != rx) continue;
              const int64_t offset = (g * outPerGroup + c) * dOut.channelStride + floorDiv(ry, s.stride) * dOut.rowStride +
                                     (int64_t)floorDiv(rx, s.stride) * BLOCK;
              taps.push_back({(int32_t)offset, (c * s.kernel + ky) * s.kernel + kx});
            }
          }
        }
        phase.taps.push_back(taps);
      }
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

void runConv(const ConvPlan& plan, const Tensor& in, const Tensor& out, const float* bias, bool withRelu, int firstShard,
             int shardCount, int blocksPerShard) {
  const ConvShape& s = plan.shape;
  const int reduced = (plan.isInputGradient ? s.outChannels : s.inChannels) / s.groups;
  const int64_t packedPerChannel = (int64_t)reduced * s.kernel * s.kernel;
  const bool isUnit = plan.inStep == BLOCK;
  for (const Phase& phase : plan.phases) {
    // a phase may be a column or two narrower than the tiling was made for: the last tiles shrink
    for (int shard = firstShard; shard < firstShard + shardCount; shard++) {
      for (int b = 0; b < blocksPerShard; b++) {
        const float* input = in.block(shard, b);
        float* output = out.block(shard, b);
        for (int y = 0; y < phase.rows; y++) {
          const float* inRow = input + (int64_t)(phase.inRow + y * (plan.inStep / BLOCK)) * in.rowStride + (int64_t)phase.inColumn * BLOCK;
          float* outRow = output + (int64_t)(phase.row + y * phase.outStep) * out.rowStride + (int64_t)phase.column * BLOCK;
          int x = 0;
          for (size_t piece = 0; x < phase.columns; piece++) {
            const int columns = std::min(plan.tiling.columns[std::min(piece, plan.tiling.columns.size() - 1)], phase.columns - x);
            const float* packed = plan.packed.data();
            int channel = 0;
            for (int g = 0; g < s.groups; g++) {
              const std::vector<Tap>& taps = phase.taps[g];
              for (int ob : plan.tiling.channels) {
                TileArguments a{inRow + (int64_t)x * plan.inStep, taps.data(), (int)taps.size(), packed,
                                bias ? bias + channel : nullptr, outRow + (int64_t)x * phase.outStep * BLOCK + channel * out.channelStride,
                                out.channelStride, (int64_t)phase.outStep * BLOCK, plan.inStep, withRelu};
                findTile(ob, columns, isUnit)(a);
                packed += packedPerChannel * ob;
                channel += ob;
              }
            }
            x += columns;
          }
        }
      }
    }
  }
}

}  // namespace lockstep
