#include "winograd.h"

#include <algorithm>

#include "winograd-tile.h"

namespace lockstep {
namespace {

// Register tile of the products: so many tiles, and for 1, 2 or 3 of them so many output channels.
constexpr int TILE_BLOCK = 3;
constexpr int CHANNEL_BLOCK[] = {0, 8, REGISTERS >= 32 ? 8 : 6, REGISTERS >= 32 ? 8 : 4};

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
    default: return productTile<OB, 3>;
  }
}

ProductTile findProduct(int ob, int tb) {
  switch (ob) {
    case 1: return productOf<1>(tb);
    case 2: return productOf<2>(tb);
    case 3: return productOf<3>(tb);
    case 4: return productOf<4>(tb);
    case 5: return productOf<5>(tb);
    case 6: return productOf<6>(tb);
    case 7: return productOf<7>(tb);
    default: return productOf<8>(tb);
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
int64_t inputStep(const WinogradPlan& plan) { return ((int64_t)plan.ins * plan.strips[0] | 1) * LR; }
constexpr int64_t productStep(int ob, int tb) { return (ob * tb | 1) * LR; }

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
  const int tiles = plan.tileRows * plan.tileColumns * PARTS, strips = (tiles + TILE_BLOCK - 1) / TILE_BLOCK;
  for (int i = 0; i < strips; i++) plan.strips.push_back(tiles / strips + (i < tiles % strips));
  const int most = CHANNEL_BLOCK[plan.strips[0]], count = (plan.outs + most - 1) / most, widest = (plan.outs + count - 1) / count;
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
  return POSITIONS * (inputStep(plan) + productStep(plan.channelTiles[0], plan.strips[0]));
}

namespace {

// A strip of tiles on its way through: [begin, begin + count) of one block, where each part of the lanes is a tile of its own.
struct Strip {
  const WinogradPlan& plan;
  int begin, count;

  int row(int t) const { return 4 * ((begin + t) / PARTS / plan.tileColumns); }
  int column(int t) const { return 4 * ((begin + t) / PARTS % plan.tileColumns); }
  int64_t offset(int t, int64_t rowStride) const { return row(t) * rowStride + column(t) * BLOCK + (begin + t) % PARTS * LR; }
};

void transformStrip(const Strip& s, const Tensor& in, const float* input, float* v) {
  const int64_t step = inputStep(s.plan), channel = (int64_t)s.plan.strips[0] * LR;
  for (int i = 0; i < s.plan.ins; i++) {
    for (int t = 0; t < s.count; t++) {
      transformLines<ALL_LINES>(input + i * in.channelStride + s.offset(t, in.rowStride), in.rowStride, v + i * channel + t * LR, step);
    }
  }
}

// Products [channel][tile] of `channels` channels from `first` on, to the output
void untransformStrip(const Strip& s, const Tensor& out, float* output, const float* m, int64_t step, int first, int channels,
                      const float* bias, bool withRelu) {
  for (int t = 0; t < s.count; t++) {
    for (int o = 0; o < channels; o++) {
      const Store to{output + (first + o) * out.channelStride + s.offset(t, out.rowStride), out.rowStride,
                     s.plan.height - s.row(t), s.plan.width - s.column(t), splat(bias ? bias[first + o] : 0.0f), withRelu};
      untransformTile(m + (o * s.count + t) * LR, step, to);
    }
  }
}

// Channel tile by channel tile: the products of one fit L1, and the transformed inputs, which all need, L2.
void runStrip(const Strip& s, const Tensor& in, const float* input, const Tensor& out, float* output, const float* bias,
              bool withRelu, float* scratch) {
  const int ins = s.plan.ins;
  const int64_t vStep = inputStep(s.plan), vInput = (int64_t)s.plan.strips[0] * LR;
  float *v = scratch, *m = scratch + POSITIONS * vStep;
  transformStrip(s, in, input, v);
  const float* u = s.plan.weights.data();
  int channel = 0;
  for (const int ob : s.plan.channelTiles) {
    const ProductTile product = findProduct(ob, s.count);
    const int64_t mStep = productStep(ob, s.count);
    for (int position = 0; position < POSITIONS; position++, u += (int64_t)ins * ob) {
      product(u, v + position * vStep, vInput, ins, m + position * mStep);
    }
    untransformStrip(s, out, output, m, mStep, channel, ob, bias, withRelu);
    channel += ob;
  }
}

}  // namespace

void runWinograd(const WinogradPlan& plan, const Tensor& in, const Tensor& out, const float* bias, bool withRelu,
                 int firstShard, int shardCount, int blocksPerShard, float* scratch) {
  for (int block = firstShard * blocksPerShard; block < (firstShard + shardCount) * blocksPerShard; block++) {
    const float* input = in.block(block / blocksPerShard, block % blocksPerShard) - plan.shift * (in.rowStride + BLOCK);
    float* output = out.block(block / blocksPerShard, block % blocksPerShard);
    Strip strip{plan, 0, 0};
    for (const int count : plan.strips) {
      strip.count = count;
      runStrip(strip, in, input, out, output, bias, withRelu, scratch);
      strip.begin += count;
    }
  }
}

}  // namespace lockstep
