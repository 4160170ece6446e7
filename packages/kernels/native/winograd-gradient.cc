#include <algorithm>

#include "winograd-tile.h"
#include "winograd.h"

namespace lockstep {
namespace {

constexpr int MAX_STRIP = 25;  // part of the arithmetic: bounds the chains and the memory of a strip
// Register tile of the products: output x input channels
constexpr int OUT_BLOCK = REGISTERS >= 32 ? 4 : 2;
constexpr int IN_BLOCK = 4;
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

// 4x4 pixels of dOut to 36 positions
void transformGradientTile(const float* d, int64_t row, float* to, int64_t step) {
  R half[6][4];
  UNROLL for (int x = 0; x < 4; x++) {
    R column[6];
    const float* p = d + x * BLOCK;
    transformGradient(load(p), load(p + row), load(p + 2 * row), load(p + 3 * row), column);
    UNROLL for (int y = 0; y < 6; y++) half[y][x] = column[y];
  }
  UNROLL for (int y = 0; y < 6; y++) {
    R line[6];
    transformGradient(half[y][0], half[y][1], half[y][2], half[y][3], line);
    UNROLL for (int x = 0; x < 6; x++) store(to + (y * 6 + x) * step, line[x]);
  }
}

// Products of OB output and IB input channels over the tiles of a strip; `to` [OB][IB][16 lanes]
template <int OB, int IB>
void productTile(const float* d, const float* v, int64_t channel, int tiles, float* to) {
  R acc[OB][IB];
  UNROLL for (int o = 0; o < OB; o++) UNROLL for (int i = 0; i < IB; i++) acc[o][i] = zero();
  for (int t = 0; t < tiles; t++, d += LR, v += LR) {
    R in[IB];
    UNROLL for (int i = 0; i < IB; i++) {
      in[i] = load(v + i * channel);
      if constexpr (OB > 1) KEEP(in[i]);
    }
    UNROLL for (int o = 0; o < OB; o++) {
      R grad = load(d + o * channel);
      if constexpr (IB > 1) KEEP(grad);
      UNROLL for (int i = 0; i < IB; i++) acc[o][i] = fma(grad, in[i], acc[o][i]);
    }
  }
  UNROLL for (int o = 0; o < OB; o++) UNROLL for (int i = 0; i < IB; i++) store(to + (o * IB + i) * BLOCK, acc[o][i]);
}

using ProductTile = void (*)(const float*, const float*, int64_t, int, float*);

template <int OB>
ProductTile productOf(int ib) {
  switch (ib) {
    case 1: return productTile<OB, 1>;
    case 2: return productTile<OB, 2>;
    case 3: return productTile<OB, 3>;
    default: return productTile<OB, IN_BLOCK>;
  }
}

ProductTile findProduct(int ob, int ib) {
  switch (ob) {
    case 1: return productOf<1>(ib);
    case 2: return productOf<2>(ib);
    case 3: return productOf<3>(ib);
    default: return productOf<OUT_BLOCK>(ib);
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

// dWeight (+)= A^T (scaled sums) A for one output channel and up to 64 inputs
void untransform(const float* sums, int64_t positionStep, int ins, bool isFirst, float* dWeight) {
  constexpr int WIDE = 64;
  float scaled[6][6][WIDE], half[3][6][WIDE], taps[3][3][WIDE];
  for (int first = 0; first < ins; first += WIDE) {
    const int n = std::min(WIDE, ins - first);
    for (int y = 0; y < 6; y++) {
      for (int x = 0; x < 6; x++) {
        const float scale = POINT_SCALE[y] * POINT_SCALE[x];
        for (int i = 0; i < n; i++) scaled[y][x][i] = sums[(y * 6 + x) * positionStep + first + i] * scale;
      }
    }
    for (int x = 0; x < 6; x++) transformLine(scaled[0][x], 6 * WIDE, n, half[0][x], 6 * WIDE);
    for (int y = 0; y < 3; y++) transformLine(half[y][0], WIDE, n, taps[y][0], WIDE);
    for (int i = 0; i < n; i++) {
      float* to = dWeight + (int64_t)(first + i) * TAPS;
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
  return plan;
}

int64_t winogradGradientScratch(const WinogradGradientPlan& plan) {
  const int64_t strip = plan.strips[0];
  const int64_t sums = (int64_t)POSITIONS * plan.ins * plan.outs + BLOCK;
  return POSITIONS * (odd(plan.ins * strip) + odd(plan.outs * strip)) + sums;
}

void runWinogradGradient(const WinogradGradientPlan& plan, const Tensor& in, const Tensor& dOut, int shard,
                         int blocksPerShard, float* dWeight, float* scratch) {
  const int widest = plan.strips[0];
  const int64_t vStep = odd((int64_t)plan.ins * widest), dStep = odd((int64_t)plan.outs * widest), channel = (int64_t)widest * BLOCK;
  float *v = scratch, *d = v + POSITIONS * vStep, *sums = d + POSITIONS * dStep;
  // v and d: [position][channel][part of the lanes][tile], so that a product walks over whole cache lines
  alignas(64) float lanes[OUT_BLOCK * IN_BLOCK * BLOCK];
  float row[OUT_BLOCK * IN_BLOCK];
  for (int b = 0; b < blocksPerShard; b++) {
    const float* input = in.block(shard, b) - plan.padding * (in.rowStride + BLOCK);
    const float* grad = dOut.block(shard, b);
    int begin = 0;
    for (const int tiles : plan.strips) {
      for (int h = 0; h < BLOCK; h += LR) {
        for (int t = 0; t < tiles; t++) {
          const int y = 4 * ((begin + t) / plan.tileColumns), x = 4 * ((begin + t) % plan.tileColumns);
          for (int i = 0; i < plan.ins; i++) {
            transformTile(input + i * in.channelStride + y * in.rowStride + x * BLOCK + h, in.rowStride,
                          v + i * channel + h * widest + t * LR, vStep);
          }
          for (int o = 0; o < plan.outs; o++) {
            transformGradientTile(grad + o * dOut.channelStride + y * dOut.rowStride + x * BLOCK + h, dOut.rowStride,
                                  d + o * channel + h * widest + t * LR, dStep);
          }
        }
      }
      for (int position = 0; position < POSITIONS; position++) {
        for (int i = 0; i < plan.ins; i += IN_BLOCK) {
          const int ib = std::min(IN_BLOCK, plan.ins - i);
          for (int o = 0; o < plan.outs; o += OUT_BLOCK) {
            const int ob = std::min(OUT_BLOCK, plan.outs - o);
            for (int h = 0; h < BLOCK; h += LR) {
              const int64_t part = (int64_t)h * widest;
              findProduct(ob, ib)(d + position * dStep + o * channel + part, v + position * vStep + i * channel + part, channel,
                                  tiles, lanes + h);
            }
            laneSums(lanes, ob * ib, row);
            for (int k = 0; k < ob; k++) {
              float* to = sums + ((int64_t)position * plan.outs + o + k) * plan.ins + i;
              for (int j = 0; j < ib; j++) to[j] = begin == 0 ? row[k * ib + j] : to[j] + row[k * ib + j];
            }
          }
        }
      }
      begin += tiles;
    }
    for (int o = 0; o < plan.outs; o++) {
      untransform(sums + (int64_t)o * plan.ins, (int64_t)plan.outs * plan.ins, plan.ins, b == 0, dWeight + (int64_t)o * plan.ins * TAPS);
    }
  }
}

}  // namespace lockstep
