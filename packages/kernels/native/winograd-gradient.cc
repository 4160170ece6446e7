#include <algorithm>

#include "winograd-tile.h"
#include "winograd.h"

namespace lockstep {
namespace {

constexpr int MAX_STRIP = 25;  // part of the arithmetic: bounds the chains and the memory of a strip
// Register tile of the products: output x input channels
constexpr int OUT_BLOCK = 4;
constexpr int IN_BLOCK = REGISTERS >= 32 ? 4 : 3;
// A strip whose transforms take more is done a few lines at a time, so that they stay in L2.
constexpr int64_t MOST_BYTES = 2 << 20;
constexpr int TAPS = 9;

// Factors of the six points that the transform of dOut leaves out.
constexpr float POINT_SCALE[6] = {1.0f / 4, -1.0f / 6, -1.0f / 6, 1.0f / 24, 1.0f / 24, 1.0f};

// The values of a cubic with coefficients d at 0, 1, -1, 2, -2 and infinity
INLINE void transformGradient(R d0, R d1, R d2, R d3, R e[6]) {
  e[0] = d0;
  const R s = add(d0, d2), t = add(d1, d3);
  e[1] = add(s, t), e[2] = sub(s, t);
  const R s2 = fma(splat(4), d2, d0), t2 = fma(splat(4), d3, d1);
  e[3] = fma(splat(2), t2, s2), e[4] = fma(splat(-2), t2, s2);
  e[5] = d3;
}

// The values of a band of lines
template <int BAND>
INLINE void gradientColumn(R d0, R d1, R d2, R d3, R e[]) {
  R all[6];
  transformGradient(d0, d1, d2, d3, all);
  UNROLL for (int y = 0; y < LINES[BAND]; y++) e[y] = all[FIRST_LINE[BAND] + y];
}

// 4x4 pixels of dOut to a band's positions
template <int BAND>
INLINE void transformGradientLines(const float* d, int64_t row, float* to, int64_t step) {
  R half[LINES[BAND]][4];
  UNROLL for (int x = 0; x < 4; x++) {
    R column[LINES[BAND]];
    const float* p = d + x * BLOCK;
    gradientColumn<BAND>(load(p), load(p + row), load(p + 2 * row), load(p + 3 * row), column);
    UNROLL for (int y = 0; y < LINES[BAND]; y++) half[y][x] = column[y];
  }
  UNROLL for (int y = 0; y < LINES[BAND]; y++) {
    R line[6];
    transformGradient(half[y][0], half[y][1], half[y][2], half[y][3], line);
    UNROLL for (int x = 0; x < 6; x++) store(to + (y * 6 + x) * step, line[x]);
  }
}

// What a position's products run over: [channel][part of the lanes][tile], a channel `channel` floats, a part `part`.
struct Extent {
  int64_t channel, part;
  int tiles;
};

// Products of OB output and IB input channels, added up over the tiles of a strip and the lanes; `to` [IB][outs]
template <int OB, int IB>
void addProducts(const float* d, const float* v, const Extent& extent, bool isFirst, int outs, float* to) {
  alignas(16) float parts[PARTS][IB][4];
  for (int h = 0; h < PARTS; h++) {
    R acc[4][IB];
    UNROLL for (int o = 0; o < 4; o++) UNROLL for (int i = 0; i < IB; i++) acc[o][i] = zero();
    const float *dTile = d + h * extent.part, *vTile = v + h * extent.part;
    for (int t = 0; t < extent.tiles; t++, dTile += LR, vTile += LR) {
      R in[IB];
      UNROLL for (int i = 0; i < IB; i++) {
        in[i] = load(vTile + i * extent.channel);
        if constexpr (OB > 1) KEEP(in[i]);
      }
      UNROLL for (int o = 0; o < OB; o++) {
        R grad = load(dTile + o * extent.channel);
        if constexpr (IB > 1) KEEP(grad);
        UNROLL for (int i = 0; i < IB; i++) acc[o][i] = fma(grad, in[i], acc[o][i]);
      }
    }
    UNROLL for (int i = 0; i < IB; i++) partSums(acc[0][i], acc[1][i], acc[2][i], acc[3][i], parts[h][i]);
  }
  UNROLL for (int i = 0; i < IB; i++, to += outs) {
    float sums[4];
    joinParts(parts[0][i], IB * 4, sums);
    if (isFirst) {
      for (int o = 0; o < OB; o++) to[o] = sums[o];
    } else {
      for (int o = 0; o < OB; o++) to[o] += sums[o];
    }
  }
}

using AddProducts = void (*)(const float*, const float*, const Extent&, bool, int, float*);

template <int OB>
AddProducts productsOf(int ib) {
  switch (ib) {
    case 1: return addProducts<OB, 1>;
    case 2: return addProducts<OB, 2>;
    case 3: return addProducts<OB, 3>;
    default: return addProducts<OB, IN_BLOCK>;
  }
}

AddProducts findProducts(int ob, int ib) {
  switch (ob) {
    case 1: return productsOf<1>(ib);
    case 2: return productsOf<2>(ib);
    case 3: return productsOf<3>(ib);
    default: return productsOf<OUT_BLOCK>(ib);
  }
}

// A^T m for n values of each of six lines, lines `from` apart; three lines `to` apart
void transformLine(const float* m, int from, int n, float* out, int to) {
  for (int i = 0; i < n; i++) {
    const float m0 = m[i], m1 = m[from + i], m2 = m[2 * from + i], m3 = m[3 * from + i], m4 = m[4 * from + i], m5 = m[5 * from + i];
    const float s1 = m1 + m2, d1 = m1 - m2, s2 = m3 + m4, d2 = m3 - m4;
    out[i] = (m0 + s1) + s2;
    out[to + i] = d1 + 2 * d2;
    out[2 * to + i] = (s1 + 4 * s2) + m5;
  }
}

int64_t odd(int64_t lines) { return (lines | 1) * BLOCK; }

// dWeight (+)= A^T (scaled sums) A for one input channel and all outputs; sums [position][outs]
void untransform(const WinogradGradientPlan& plan, const float* sums, bool isFirst, float* dWeight) {
  constexpr int WIDE = 64;
  const int64_t positionStep = (int64_t)plan.ins * plan.outs;
  float scaled[6][6][WIDE], half[3][6][WIDE], taps[3][3][WIDE];
  for (int first = 0; first < plan.outs; first += WIDE) {
    const int n = std::min(WIDE, plan.outs - first);
    for (int y = 0; y < 6; y++) {
      for (int x = 0; x < 6; x++) {
        const float scale = POINT_SCALE[y] * POINT_SCALE[x];
        for (int i = 0; i < n; i++) scaled[y][x][i] = sums[(y * 6 + x) * positionStep + first + i] * scale;
      }
    }
    for (int x = 0; x < 6; x++) transformLine(scaled[0][x], 6 * WIDE, n, half[0][x], 6 * WIDE);
    for (int y = 0; y < 3; y++) transformLine(half[y][0], WIDE, n, taps[y][0], WIDE);
    for (int i = 0; i < n; i++) {
      float* to = dWeight + (int64_t)(first + i) * plan.ins * TAPS;
      for (int k = 0; k < TAPS; k++) to[k] = isFirst ? taps[k / 3][k % 3][i] : to[k] + taps[k / 3][k % 3][i];
    }
  }
}

}  // namespace

// In units of multiply-adds: a transformed input costs about 170, a gradient 120, a lane sum 6.
bool usesWinogradGradient(const ConvShape& s) {
  if (s.kernel != 3 || s.stride != 1 || s.groups != 1 || s.inChannels < 8 || s.outChannels < 8) return false;
  const int64_t tiles = (int64_t)((s.outHeight + 3) / 4) * ((s.outWidth + 3) / 4), strips = (tiles + MAX_STRIP - 1) / MAX_STRIP;
  const int64_t pair = (int64_t)s.inChannels * s.outChannels, direct = 9 * pair * s.outHeight * s.outWidth;
  const int64_t winograd = pair * 36 * (tiles + 6 * strips) + tiles * (170 * (int64_t)s.inChannels + 120 * (int64_t)s.outChannels);
  return winograd * 5 < direct * 4;
}

WinogradGradientPlan planWinogradGradient(const ConvShape& s) {
  WinogradGradientPlan plan{s.inChannels, s.outChannels, s.outHeight, s.outWidth, s.padding, (s.outHeight + 3) / 4, (s.outWidth + 3) / 4, {}};
  const int tiles = plan.tileRows * plan.tileColumns, strips = (tiles + MAX_STRIP - 1) / MAX_STRIP;
  for (int i = 0; i < strips; i++) plan.strips.push_back(tiles / strips + (i < tiles % strips));
  plan.isByLines = (int64_t)POSITIONS * (plan.ins + plan.outs) * plan.strips[0] * BLOCK * (int64_t)sizeof(float) > MOST_BYTES;
  return plan;
}

namespace {

int64_t inputStep(const WinogradGradientPlan& plan) { return odd((int64_t)plan.ins * plan.strips[0]); }
int64_t gradientStep(const WinogradGradientPlan& plan) { return odd((int64_t)plan.outs * plan.strips[0]); }
int positionsAtOnce(const WinogradGradientPlan& plan) { return plan.isByLines ? 12 : POSITIONS; }

// A strip of tiles of one block: [begin, begin + tiles).
struct Strip {
  const WinogradGradientPlan& plan;
  const Tensor &in, &dOut;
  const float *input, *grad;
  float *v, *d, *sums;  // v and d: [position][channel][part of the lanes][tile]; sums: [position][in][out]
  int begin, tiles;

  int row(int t) const { return 4 * ((begin + t) / plan.tileColumns); }
  int column(int t) const { return 4 * ((begin + t) % plan.tileColumns); }
};

template <int BAND>
void transformBand(const Strip& s, const Extent& extent) {
  const int64_t vStep = inputStep(s.plan), dStep = gradientStep(s.plan);
  for (int h = 0; h < PARTS; h++) {
    for (int i = 0; i < s.plan.ins; i++) {
      const float* from = s.input + i * s.in.channelStride + h * LR;
      float* to = s.v + i * extent.channel + h * extent.part;
      for (int t = 0; t < s.tiles; t++) {
        transformLines<BAND>(from + s.row(t) * s.in.rowStride + s.column(t) * BLOCK, s.in.rowStride, to + t * LR, vStep);
      }
    }
    for (int o = 0; o < s.plan.outs; o++) {
      const float* from = s.grad + o * s.dOut.channelStride + h * LR;
      float* to = s.d + o * extent.channel + h * extent.part;
      for (int t = 0; t < s.tiles; t++) {
        transformGradientLines<BAND>(from + s.row(t) * s.dOut.rowStride + s.column(t) * BLOCK, s.dOut.rowStride, to + t * LR, dStep);
      }
    }
  }
}

template <int BAND>
void runBand(const Strip& s) {
  const int ins = s.plan.ins, outs = s.plan.outs;
  const int widest = s.plan.strips[0];
  const Extent extent{(int64_t)widest * BLOCK, (int64_t)widest * LR, s.tiles};
  transformBand<BAND>(s, extent);
  for (int position = 0; position < 6 * LINES[BAND]; position++) {
    const float *d = s.d + position * gradientStep(s.plan), *v = s.v + position * inputStep(s.plan);
    float* sums = s.sums + (int64_t)(6 * FIRST_LINE[BAND] + position) * ins * outs;
    for (int i = 0; i < ins; i += IN_BLOCK) {
      const int ib = std::min(IN_BLOCK, ins - i);
      for (int o = 0; o < outs; o += OUT_BLOCK) {
        const AddProducts add = findProducts(std::min(OUT_BLOCK, outs - o), ib);
        add(d + o * extent.channel, v + i * extent.channel, extent, s.begin == 0, outs, sums + (int64_t)i * outs + o);
      }
    }
  }
}

}  // namespace

int64_t winogradGradientScratch(const WinogradGradientPlan& plan) {
  const int64_t sums = (int64_t)POSITIONS * plan.ins * plan.outs + BLOCK;
  return positionsAtOnce(plan) * (inputStep(plan) + gradientStep(plan)) + sums;
}

void runWinogradGradient(const WinogradGradientPlan& plan, const Tensor& in, const Tensor& dOut, int shard,
                         int blocksPerShard, float* dWeight, float* scratch) {
  float *v = scratch, *d = v + positionsAtOnce(plan) * inputStep(plan), *sums = d + positionsAtOnce(plan) * gradientStep(plan);
  for (int b = 0; b < blocksPerShard; b++) {
    const float* input = in.block(shard, b) - plan.padding * (in.rowStride + BLOCK);
    Strip strip{plan, in, dOut, input, dOut.block(shard, b), v, d, sums, 0, 0};
    for (const int tiles : plan.strips) {
      strip.tiles = tiles;
      if (plan.isByLines) {
        runBand<0>(strip), runBand<1>(strip), runBand<2>(strip), runBand<3>(strip);
      } else {
        runBand<ALL_LINES>(strip);
      }
      strip.begin += tiles;
    }
    for (int i = 0; i < plan.ins; i++) untransform(plan, sums + (int64_t)i * plan.outs, b == 0, dWeight + (int64_t)i * TAPS);
  }
}

}  // namespace lockstep
