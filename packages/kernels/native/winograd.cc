#include "winograd.h"

#include <algorithm>

namespace lockstep {
namespace {

constexpr int POSITIONS = 36;
constexpr int MAX_STRIP = 8;
// Register tile of the products: channels x tiles. Small, so that the 36 products of a tile stay in L1.
constexpr int TILE_BLOCK = 4;
constexpr int CHANNEL_BLOCK = REGISTERS >= 32 ? 4 : 2;

// ---- transforms of one line ----

// B^T d for six values
INLINE void transformInput(R d0, R d1, R d2, R d3, R d4, R d5, R t[6]) {
  const R four = splat(4), minusFive = splat(-5), minusFour = splat(-4), two = splat(2), minusTwo = splat(-2);
  t[0] = fma(four, d0, fma(minusFive, d2, d4));
  const R a = fma(minusFour, d2, d4), b = fma(minusFour, d1, d3);
  t[1] = add(a, b), t[2] = sub(a, b);
  const R c = sub(d4, d2), e = sub(d3, d1);
  t[3] = fma(two, e, c), t[4] = fma(minusTwo, e, c);
  t[5] = fma(four, d1, fma(minusFive, d3, d5));
}

// A^T m for six values
INLINE void transformOutput(const R m[6], R o[4]) {
  const R s1 = add(m[1], m[2]), d1 = sub(m[1], m[2]), s2 = add(m[3], m[4]), d2 = sub(m[3], m[4]);
  o[0] = add(add(m[0], s1), s2);
  o[1] = fma(splat(2), d2, d1);
  o[2] = fma(splat(4), s2, s1);
  o[3] = add(fma(splat(8), d2, d1), m[5]);
}

// G g for three rows of `n` values each, out six rows
void transformLine(const float* g0, const float* g1, const float* g2, int n, float* out, int step) {
  for (int i = 0; i < n; i++) {
    const float a = g0[i] + g2[i], b = g0[i] * (1.0f / 24) + g2[i] * (1.0f / 6), c = g1[i] * (1.0f / 12);
    out[0 * step + i] = g0[i] * 0.25f;
    out[1 * step + i] = (a + g1[i]) * (-1.0f / 6);
    out[2 * step + i] = (a - g1[i]) * (-1.0f / 6);
    out[3 * step + i] = b + c;
    out[4 * step + i] = b - c;
    out[5 * step + i] = g2[i];
  }
}

// ---- input transform of one tile and channel: V[position] = B^T d B ----

// The six values of line `y` of B^T d, one per column: rows are combined as transformInput says, row by row of its result.
template <int Y>
INLINE void columnCombination(const float* d, int64_t row, R out[6]) {
  const R four = splat(4), minusFive = splat(-5);
  UNROLL for (int x = 0; x < 6; x++) {
    const float* p = d + x * BLOCK;
    if constexpr (Y == 0) out[x] = fma(four, load(p), fma(minusFive, load(p + 2 * row), load(p + 4 * row)));
    if constexpr (Y == 5) out[x] = fma(four, load(p + row), fma(minusFive, load(p + 3 * row), load(p + 5 * row)));
  }
}

INLINE void storeLine(const R line[6], float* v, int64_t step) {
  R t[6];
  transformInput(line[0], line[1], line[2], line[3], line[4], line[5], t);
  UNROLL for (int x = 0; x < 6; x++) store(v + x * step, t[x]);
}

// Lines 1 and 2, or 3 and 4, come as sum and difference of the same two terms.
template <bool OUTER>
INLINE void storePair(const float* d, int64_t row, float* v, int64_t step) {
  R plus[6], minus[6];
  UNROLL for (int x = 0; x < 6; x++) {
    const float* p = d + x * BLOCK;
    const R d1 = load(p + row), d2 = load(p + 2 * row), d3 = load(p + 3 * row), d4 = load(p + 4 * row);
    if constexpr (OUTER) {
      const R c = sub(d4, d2), e = sub(d3, d1);
      plus[x] = fma(splat(2), e, c), minus[x] = fma(splat(-2), e, c);
    } else {
      const R a = fma(splat(-4), d2, d4), b = fma(splat(-4), d1, d3);
      plus[x] = add(a, b), minus[x] = sub(a, b);
    }
  }
  storeLine(plus, v, step);
  storeLine(minus, v + 6 * step, step);
}

void transformTile(const float* d, int64_t row, float* v, int64_t step) {
  R line[6];
  columnCombination<0>(d, row, line);
  storeLine(line, v, step);
  storePair<false>(d, row, v + 6 * step, step);
  storePair<true>(d, row, v + 18 * step, step);
  columnCombination<5>(d, row, line);
  storeLine(line, v + 30 * step, step);
}

// ---- products: M[channel][tile] = sum over inputs of U[input][channel] V[input][tile] ----

template <int OB, int TB>
void productTile(const float* u, const float* v, int64_t vInput, int ins, float* m) {
  R acc[OB][TB];
  UNROLL for (int o = 0; o < OB; o++) UNROLL for (int t = 0; t < TB; t++) acc[o][t] = zero();
  for (int i = 0; i < ins; i++, u += OB, v += vInput) {
    R in[TB];
    UNROLL for (int t = 0; t < TB; t++) {
      in[t] = load(v + t * BLOCK);
      if constexpr (OB > 1) KEEP(in[t]);
    }
    UNROLL for (int o = 0; o < OB; o++) {
      R weight = splat(u[o]);
      if constexpr (TB > 1) KEEP(weight);
      UNROLL for (int t = 0; t < TB; t++) acc[o][t] = fma(weight, in[t], acc[o][t]);
    }
  }
  UNROLL for (int o = 0; o < OB; o++) UNROLL for (int t = 0; t < TB; t++) store(m + (o * TB + t) * BLOCK, acc[o][t]);
}

using ProductTile = void (*)(const float*, const float*, int64_t, int, float*);

template <int OB>
ProductTile productOf(int tb) {
  switch (tb) {
    case 1: return productTile<OB, 1>;
    case 2: return productTile<OB, 2>;
    case 3: return productTile<OB, 3>;
    default: return productTile<OB, 4>;
  }
}

ProductTile findProduct(int ob, int tb) {
  switch (ob) {
    case 1: return productOf<1>(tb);
    case 2: return productOf<2>(tb);
    case 3: return productOf<3>(tb);
    case 4: return productOf<4>(tb);
    default: return productOf<5>(tb);
  }
}

// ---- output transform of one tile and channel ----

struct Store {
  float* out;
  int64_t row;
  int rows, columns;  // of the 4x4 that exist
  R bias;
  bool withRelu;
};

void untransformTile(const float* m, int64_t step, const Store& to) {
  R half[4][6];
  UNROLL for (int x = 0; x < 6; x++) {
    R line[6], o[4];
    UNROLL for (int y = 0; y < 6; y++) line[y] = load(m + (y * 6 + x) * step);
    transformOutput(line, o);
    UNROLL for (int y = 0; y < 4; y++) half[y][x] = o[y];
  }
  UNROLL for (int y = 0; y < 4; y++) {
    if (y >= to.rows) return;
    R o[4];
    transformOutput(half[y], o);
    UNROLL for (int x = 0; x < 4; x++) {
      const R value = add(o[x], to.bias);
      if (x < to.columns) store(to.out + y * to.row + x * BLOCK, to.withRelu ? relu(value) : value);
    }
  }
}

// Odd numbers of cache lines between positions, so that the 36 of them do not fall into the same sets.
int64_t inputStep(const WinogradPlan& plan) { return ((int64_t)plan.ins * plan.strip + (plan.ins * plan.strip % 2 == 0)) * BLOCK; }
constexpr int64_t productStep(int ob, int tb) { return (ob * tb + (ob * tb % 2 == 0)) * BLOCK; }

}  // namespace

// In units of multiply-adds, as measured: a transformed input costs about 160, an output 140, beside 36 per product.
bool usesWinograd(int kernel, int stride, int groups, int ins, int outs, int height, int width) {
  if (kernel != 3 || stride != 1 || groups != 1 || ins < 8 || outs < 8) return false;
  const int64_t tiles = (int64_t)((height + 3) / 4) * ((width + 3) / 4), pair = (int64_t)ins * outs;
  const int64_t direct = 9 * pair * height * width, winograd = tiles * (36 * pair + 160 * (int64_t)ins + 140 * (int64_t)outs);
  return winograd * 5 < direct * 4;
}

WinogradPlan planWinograd(const ConvShape& s, bool isInputGradient) {
  WinogradPlan plan{};
  plan.isInputGradient = isInputGradient;
  plan.ins = isInputGradient ? s.outChannels : s.inChannels;
  plan.outs = isInputGradient ? s.inChannels : s.outChannels;
  plan.height = isInputGradient ? s.inHeight : s.outHeight;
  plan.width = isInputGradient ? s.inWidth : s.outWidth;
  plan.shift = isInputGradient ? 2 - s.padding : s.padding;
  plan.tileRows = (plan.height + 3) / 4, plan.tileColumns = (plan.width + 3) / 4;
  plan.strip = std::min(MAX_STRIP, plan.tileRows * plan.tileColumns);
  plan.tileBlock = std::min(TILE_BLOCK, plan.strip);
  const int widest = plan.outs % 5 == 0 && plan.outs % 4 != 0 && REGISTERS >= 32 ? 5 : CHANNEL_BLOCK;
  for (int at = 0; at < plan.outs; at += widest) plan.channelTiles.push_back(std::min(widest, plan.outs - at));
  plan.weights.resize((size_t)POSITIONS * plan.ins * plan.outs);
  return plan;
}

void transformWeights(WinogradPlan& plan, const float* weights) {
  constexpr int WIDEST = 8;
  float* to = plan.weights.data();
  int first = 0;
  for (const int ob : plan.channelTiles) {
    for (int in = 0; in < plan.ins; in++) {
      float g[9][WIDEST], half[6][3][WIDEST], u[6][6][WIDEST];
      for (int o = 0; o < ob; o++) {
        const int out = first + o;
        const float* from = weights + 9 * (plan.isInputGradient ? (int64_t)in * plan.outs + out : (int64_t)out * plan.ins + in);
        for (int k = 0; k < 9; k++) g[k][o] = from[plan.isInputGradient ? 8 - k : k];
      }
      // along columns: half[y][x] = sum over ky of G[y][ky] g[ky][x]; then along rows
      for (int x = 0; x < 3; x++) transformLine(g[x], g[3 + x], g[6 + x], ob, half[0][x], 3 * WIDEST);
      for (int y = 0; y < 6; y++) transformLine(half[y][0], half[y][1], half[y][2], ob, u[y][0], WIDEST);
      for (int position = 0; position < POSITIONS; position++) {
        memcpy(to + ((int64_t)position * plan.ins + in) * ob, u[position / 6][position % 6], ob * sizeof(float));
      }
    }
    to += (int64_t)POSITIONS * plan.ins * ob;
    first += ob;
  }
}

int64_t winogradScratch(const WinogradPlan& plan) {
  return POSITIONS * (inputStep(plan) + productStep(8, TILE_BLOCK));
}

void runWinograd(const WinogradPlan& plan, const Tensor& in, const Tensor& out, const float* bias, bool withRelu,
                 int firstShard, int shardCount, int blocksPerShard, float* scratch) {
  const int tiles = plan.tileRows * plan.tileColumns;
  const int64_t step = inputStep(plan), vInput = (int64_t)plan.strip * BLOCK;
  float* v = scratch;
  float* m = scratch + POSITIONS * step;
  for (int block = firstShard * blocksPerShard; block < (firstShard + shardCount) * blocksPerShard; block++) {
    const float* input = in.block(block / blocksPerShard, block % blocksPerShard) - plan.shift * (in.rowStride + BLOCK);
    float* output = out.block(block / blocksPerShard, block % blocksPerShard);
    for (int begin = 0; begin < tiles; begin += plan.strip) {
      const int count = std::min(plan.strip, tiles - begin);
      for (int h = 0; h < BLOCK; h += LR) {
        for (int i = 0; i < plan.ins; i++) {
          for (int t = 0; t < count; t++) {
            const int ty = (begin + t) / plan.tileColumns, tx = (begin + t) % plan.tileColumns;
            transformTile(input + i * in.channelStride + 4 * ty * in.rowStride + 4 * tx * BLOCK + h, in.rowStride,
                          v + i * vInput + t * BLOCK + h, step);
          }
        }
        const float* u = plan.weights.data();
        int channel = 0;
        for (const int ob : plan.channelTiles) {
          for (int t = 0; t < count; t += plan.tileBlock) {
            const int tb = std::min(plan.tileBlock, count - t);
            const ProductTile product = findProduct(ob, tb);
            const int64_t mStep = productStep(ob, tb);
            for (int position = 0; position < POSITIONS; position++) {
              product(u + (int64_t)position * plan.ins * ob, v + position * step + t * BLOCK + h, vInput, plan.ins, m + position * mStep + h);
            }
            for (int k = 0; k < tb; k++) {
              const int ty = (begin + t + k) / plan.tileColumns, tx = (begin + t + k) % plan.tileColumns;
              for (int o = 0; o < ob; o++) {
                const Store to{output + (channel + o) * out.channelStride + 4 * ty * out.rowStride + 4 * tx * BLOCK + h, out.rowStride,
                               plan.height - 4 * ty, plan.width - 4 * tx, splat(bias ? bias[channel + o] : 0.0f), withRelu};
                untransformTile(m + (o * tb + k) * BLOCK + h, mStep, to);
              }
            }
          }
          u += (int64_t)POSITIONS * plan.ins * ob;
          channel += ob;
        }
      }
    }
  }
}

}  // namespace lockstep
