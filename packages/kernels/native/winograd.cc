#include "winograd.h"

#include <algorithm>

#include "winograd-tile.h"

namespace lockstep {
namespace {

constexpr int MAX_STRIP = 8;
// Register tile of the products: channels x tiles. Small, so that the 36 products of a tile stay in L1.
constexpr int TILE_BLOCK = 4;
// From so many channel pairs the transformed inputs no longer fit L1 beside the products: then one position is done for
// all channels before the next, and the products of all channels wait in L2.
constexpr int MANY_PAIRS = 1024;
constexpr int CHANNEL_BLOCK = REGISTERS >= 32 ? 4 : 2;

// ---- transforms of one line ----

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

// ---- products: M[channel][tile] = sum over inputs of U[input][channel] V[input][tile] ----

template <int OB, int TB>
void productTile(const float* u, const float* v, int64_t vInput, int ins, float* m) {
  R acc[OB][TB];
  UNROLL for (int o = 0; o < OB; o++) UNROLL for (int t = 0; t < TB; t++) acc[o][t] = zero();
  for (int i = 0; i < ins; i++, u += OB, v += vInput) {
    R in[TB];
    UNROLL for (int t = 0; t < TB; t++) {
      in[t] = load(v + t * LR);
      if constexpr (OB > 1) KEEP(in[t]);
    }
    UNROLL for (int o = 0; o < OB; o++) {
      R weight = splat(u[o]);
      if constexpr (TB > 1) KEEP(weight);
      UNROLL for (int t = 0; t < TB; t++) acc[o][t] = fma(weight, in[t], acc[o][t]);
    }
  }
  UNROLL for (int o = 0; o < OB; o++) UNROLL for (int t = 0; t < TB; t++) store(m + (o * TB + t) * LR, acc[o][t]);
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

// Scratch holds one register of an element, not its whole block: with narrow registers half of each cache line would lie
// idle. Odd numbers of registers between positions, so that the 36 of them do not fall into the same sets.
int64_t inputStep(const WinogradPlan& plan) { return ((int64_t)plan.ins * plan.strip + (plan.ins * plan.strip % 2 == 0)) * LR; }
constexpr int64_t productStep(int ob, int tb) { return (ob * tb + (ob * tb % 2 == 0)) * LR; }

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
  plan.keepsAllProducts = plan.ins * plan.outs >= MANY_PAIRS;
  plan.strip = std::min(plan.keepsAllProducts ? TILE_BLOCK : MAX_STRIP, plan.tileRows * plan.tileColumns);
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
  const int64_t products = plan.keepsAllProducts ? productStep(plan.outs, plan.strip) : productStep(8, TILE_BLOCK);
  return POSITIONS * (inputStep(plan) + products);
}

namespace {

// A strip of tiles on its way through: [begin, begin + count) of one block.
struct Strip {
  const WinogradPlan& plan;
  int begin, count;
  const float* bias;
  bool withRelu;
  int64_t step, vInput;  // floats between positions, and between inputs, of V

  int row(int t) const { return 4 * ((begin + t) / plan.tileColumns); }
  int column(int t) const { return 4 * ((begin + t) % plan.tileColumns); }
};

void transformStrip(const Strip& s, const Tensor& in, const float* input, float* v) {
  for (int i = 0; i < s.plan.ins; i++) {
    for (int t = 0; t < s.count; t++) {
      transformTile(input + i * in.channelStride + s.row(t) * in.rowStride + s.column(t) * BLOCK, in.rowStride,
                    v + i * s.vInput + t * LR, s.step);
    }
  }
}

// Products of `channels` x `tiles`, at m + (o * mTiles + t) * BLOCK, to the output.
void untransform(const Strip& s, const Tensor& out, float* output, const float* m, int64_t mStep, int mTiles, int channel,
                 int channels, int t, int tiles) {
  for (int k = 0; k < tiles; k++) {
    const int y = s.row(t + k), x = s.column(t + k);
    for (int o = 0; o < channels; o++) {
      const Store to{output + (channel + o) * out.channelStride + y * out.rowStride + x * BLOCK, out.rowStride, s.plan.height - y,
                     s.plan.width - x, splat(s.bias ? s.bias[channel + o] : 0.0f), s.withRelu};
      untransformTile(m + (o * mTiles + k) * LR, mStep, to);
    }
  }
}

// Channel tile by channel tile: few products at a time, which stay in L1.
void runByChannels(const Strip& s, const Tensor& out, float* output, const float* v, float* m) {
  const float* u = s.plan.weights.data();
  int channel = 0;
  for (const int ob : s.plan.channelTiles) {
    for (int t = 0; t < s.count; t += s.plan.tileBlock) {
      const int tb = std::min(s.plan.tileBlock, s.count - t);
      const ProductTile product = findProduct(ob, tb);
      const int64_t mStep = productStep(ob, tb);
      for (int position = 0; position < POSITIONS; position++) {
        product(u + (int64_t)position * s.plan.ins * ob, v + position * s.step + t * LR, s.vInput, s.plan.ins, m + position * mStep);
      }
      untransform(s, out, output, m, mStep, tb, channel, ob, t, tb);
    }
    u += (int64_t)POSITIONS * s.plan.ins * ob;
    channel += ob;
  }
}

// Position by position: a position's inputs stay in L1 while all channels pass.
void runByPositions(const Strip& s, const Tensor& out, float* output, const float* v, float* m) {
  const int64_t mStep = productStep(s.plan.outs, s.plan.strip);
  for (int position = 0; position < POSITIONS; position++) {
    const float* u = s.plan.weights.data();
    float* to = m + position * mStep;
    for (const int ob : s.plan.channelTiles) {
      findProduct(ob, s.count)(u + (int64_t)position * s.plan.ins * ob, v + position * s.step, s.vInput, s.plan.ins, to);
      u += (int64_t)POSITIONS * s.plan.ins * ob;
      to += (int64_t)ob * s.count * LR;
    }
  }
  untransform(s, out, output, m, mStep, s.count, 0, s.plan.outs, 0, s.count);
}

}  // namespace

void runWinograd(const WinogradPlan& plan, const Tensor& in, const Tensor& out, const float* bias, bool withRelu,
                 int firstShard, int shardCount, int blocksPerShard, float* scratch) {
  const int tiles = plan.tileRows * plan.tileColumns;
  Strip strip{plan, 0, 0, bias, withRelu, inputStep(plan), (int64_t)plan.strip * LR};
  float* m = scratch + POSITIONS * strip.step;
  for (int block = firstShard * blocksPerShard; block < (firstShard + shardCount) * blocksPerShard; block++) {
    const float* input = in.block(block / blocksPerShard, block % blocksPerShard) - plan.shift * (in.rowStride + BLOCK);
    float* output = out.block(block / blocksPerShard, block % blocksPerShard);
    for (strip.begin = 0; strip.begin < tiles; strip.begin += plan.strip) {
      strip.count = std::min(plan.strip, tiles - strip.begin);
      for (int h = 0; h < BLOCK; h += LR) {
        transformStrip(strip, in, input + h, scratch);
        if (plan.keepsAllProducts) {
          runByPositions(strip, out, output + h, scratch, m);
        } else {
          runByChannels(strip, out, output + h, scratch, m);
        }
      }
    }
  }
}

}  // namespace lockstep
