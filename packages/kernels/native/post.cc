#include "post.h"

#include "philox.h"

namespace lockstep {
namespace {

enum Flag { NORM = 1, RELU = 2, DROP = 4, FLAGS = 8 };

// The pointwise part for one channel: z = batchNorm(y), value = dropout1(relu(z)).
template <int F>
struct Pointwise {
  R scale, shift, keepScale;
  const uint16_t* bits;  // of this channel, or null

  Pointwise(const PostOp& op, int shard, int b, int c) {
    scale = splat(F & NORM ? op.norm->coefficient(shard, SCALE)[c] : 1.0f);
    shift = splat(F & NORM ? op.norm->coefficient(shard, SHIFT)[c] : 0.0f);
    keepScale = splat(F & DROP ? op.dropout1->keepScale : 1.0f);
    bits = F & DROP ? op.dropout1->block(shard, b) + (int64_t)c * op.y.height * op.y.width : nullptr;
  }
  INLINE_MEMBER R before(R y) const { return F & NORM ? lockstep::fma(y, scale, shift) : y; }
  INLINE_MEMBER Mask kept(int element, int h) const { return maskFromBits(bits[element] >> h); }
  INLINE_MEMBER R value(R y, int element, int h) const {
    R z = before(y);
    if constexpr ((F & RELU) != 0) z = relu(z);
    if constexpr ((F & DROP) != 0) z = keep(kept(element, h), mul(z, keepScale));
    return z;
  }
  // Gradient of z from the gradient of the value
  INLINE_MEMBER R back(R d, R y, int element, int h) const {
    if constexpr ((F & DROP) != 0) d = keep(kept(element, h), mul(d, keepScale));
    if constexpr ((F & RELU) != 0) d = keep(greater(before(y), zero()), d);
    return d;
  }
};

// The second dropout, on the output's elements
struct OutDropout {
  R keepScale;
  const uint16_t* bits;
  OutDropout(const PostOp& op, const Tensor& out, int shard, int b, int c)
      : keepScale(splat(op.dropout2 ? op.dropout2->keepScale : 1.0f)),
        bits(op.dropout2 ? op.dropout2->block(shard, b) + (int64_t)c * out.height * out.width : nullptr) {}
  INLINE_MEMBER R apply(R v, int element, int h) const {
    return bits ? keep(maskFromBits(bits[element] >> h), mul(v, keepScale)) : v;
  }
};

// A 2x2 window's values, and which of them is the first largest.
template <int F>
struct Window {
  R y[4], best, yOfBest;
  Mask second, fourth, lower;  // 1 beats 0, 3 beats 2, the lower pair beats the upper

  INLINE_MEMBER Window(const Pointwise<F>& f, const float* at, int64_t rowStride, int element, int width, int h) {
    R v[4];
    UNROLL for (int k = 0; k < 4; k++) {
      y[k] = load(at + (k >> 1) * rowStride + (k & 1) * BLOCK);
      v[k] = f.value(y[k], element + (k >> 1) * width + (k & 1), h);
    }
    second = greater(v[1], v[0]), fourth = greater(v[3], v[2]);
    const R upper = select(second, v[1], v[0]), below = select(fourth, v[3], v[2]);
    lower = greater(below, upper);
    best = select(lower, below, upper);
    yOfBest = select(lower, select(fourth, y[3], y[2]), select(second, y[1], y[0]));
  }
  // Whether element k of the window is the one
  INLINE_MEMBER R onlyAt(int k, R value) const {
    const R half = k < 2 ? select(lower, zero(), value) : keep(lower, value);
    const Mask later = k < 2 ? second : fourth;
    return k & 1 ? keep(later, half) : select(later, zero(), half);
  }
};

template <int F>
INLINE R largestOf(const PostOp& op, const Pointwise<F>& f, const float* in, int oy, int ox, int h) {
  const Tensor& y = op.y;
  const int top = oy * op.stride, left = ox * op.stride;
  R best = zero();
  for (int ky = 0; ky < op.kernel; ky++) {
    for (int kx = 0; kx < op.kernel; kx++) {
      const R next = f.value(load(in + (top + ky) * y.rowStride + (left + kx) * BLOCK + h), (top + ky) * y.width + left + kx, h);
      best = ky + kx == 0 ? next : select(greater(best, next), best, next);
    }
  }
  return best;
}

enum Pool { NO_POOL, POOL_2X2, ANY_POOL };

template <int F, Pool P>
void forwardChannel(const PostOp& op, int shard, int b, int c) {
  const Pointwise<F> f(op, shard, b, c);
  const OutDropout drop(op, op.out, shard, b, c);
  const Tensor &y = op.y, &out = op.out;
  const float* in = y.block(shard, b) + c * y.channelStride;
  float* to = out.block(shard, b) + c * out.channelStride;
  for (int oy = 0; oy < out.height; oy++) {
    for (int ox = 0; ox < out.width; ox++) {
      for (int h = 0; h < BLOCK; h += LR) {
        R v;
        if constexpr (P == NO_POOL) {
          v = f.value(load(in + oy * y.rowStride + ox * BLOCK + h), oy * y.width + ox, h);
        } else if constexpr (P == POOL_2X2) {
          v = Window<F>(f, in + 2 * oy * y.rowStride + 2 * ox * BLOCK + h, y.rowStride, 2 * oy * y.width + 2 * ox, y.width, h).best;
        } else {
          v = largestOf<F>(op, f, in, oy, ox, h);
        }
        store(to + oy * out.rowStride + ox * BLOCK + h, drop.apply(v, oy * out.width + ox, h));
      }
    }
  }
}

struct Sums {
  R g[4], gy[4], mean;

  explicit Sums(float m) : g{zero(), zero(), zero(), zero()}, gy{zero(), zero(), zero(), zero()}, mean(splat(m)) {}
  template <int F>
  INLINE_MEMBER void take(int chain, R grad, R y) {
    if constexpr ((F & NORM) != 0) {
      g[chain] = add(g[chain], grad);
      gy[chain] = lockstep::fma(grad, sub(y, mean), gy[chain]);
    }
  }
};

struct Pointers {
  const float *y, *d;
  float* g;
};

// Without a pool: element by element.
template <int F>
void backPlain(const PostBackwardOp& op, const Pointwise<F>& f, const OutDropout& drop, const Pointers& at, int h, Sums& sums) {
  const Tensor& t = op.post->y;
  auto element = [&](int row, int x, int chain) INLINE_LAMBDA {
    const R y = load(at.y + row * t.rowStride + x * BLOCK + h);
    const int e = row * t.width + x;
    const R back = f.back(drop.apply(load(at.d + row * op.dOut.rowStride + x * BLOCK + h), e, h), y, e, h);
    store(at.g + row * op.g.rowStride + x * BLOCK + h, back);
    sums.take<F>(chain, back, y);
  };
  for (int row = 0; row < t.height; row++) {
    int x = 0;
    for (; x + 4 <= t.width; x += 4) UNROLL for (int c = 0; c < 4; c++) element(row, x + c, c);
    for (int c = 0; x + c < t.width; c++) element(row, x + c, c);
  }
}

// 2x2 windows side by side, without a dropout before the pool.
template <int F>
void backPool2x2(const PostBackwardOp& op, const Pointwise<F>& f, const OutDropout& drop, const Pointers& at, int h, Sums& sums) {
  const Tensor &t = op.post->y, &out = op.post->out;
  auto window = [&](int oy, int ox, int chain) INLINE_LAMBDA {
    const Window<F> w(f, at.y + 2 * oy * t.rowStride + 2 * ox * BLOCK + h, t.rowStride, 2 * oy * t.width + 2 * ox, t.width, h);
    R d = drop.apply(load(at.d + oy * op.dOut.rowStride + ox * BLOCK + h), oy * out.width + ox, h);
    if constexpr ((F & RELU) != 0) d = keep(greater(w.best, zero()), d);
    UNROLL for (int k = 0; k < 4; k++) store(at.g + (2 * oy + (k >> 1)) * op.g.rowStride + (2 * ox + (k & 1)) * BLOCK + h, w.onlyAt(k, d));
    sums.take<F>(chain, d, w.yOfBest);
  };
  for (int oy = 0; oy < out.height; oy++) {
    int ox = 0;
    for (; ox + 4 <= out.width; ox += 4) UNROLL for (int c = 0; c < 4; c++) window(oy, ox + c, c);
    for (int c = 0; ox + c < out.width; c++) window(oy, ox + c, c);
  }
}

// Windows of any pool, in row order; the first of equal values takes the gradient. `ACCUMULATES` where they overlap.
template <int F, bool ACCUMULATES>
void backAnyPool(const PostBackwardOp& op, const Pointwise<F>& f, const OutDropout& drop, const Pointers& at, int h, Sums& sums) {
  const PostOp& post = *op.post;
  const Tensor &t = post.y, &out = post.out;
  for (int oy = 0; oy < out.height; oy++) {
    for (int ox = 0; ox < out.width; ox++) {
      const int top = oy * post.stride, left = ox * post.stride;
      const R grad = drop.apply(load(at.d + oy * op.dOut.rowStride + ox * BLOCK + h), oy * out.width + ox, h);
      const R best = largestOf<F>(post, f, at.y, oy, ox, h);
      Mask taken = noLanes();
      for (int k = 0; k < post.kernel * post.kernel; k++) {
        const int row = top + k / post.kernel, x = left + k % post.kernel, element = row * t.width + x;
        const R y = load(at.y + row * t.rowStride + x * BLOCK + h);
        const Mask mine = andNot(equal(f.value(y, element, h), best), taken);
        taken = maskOr(taken, mine);
        const R back = f.back(keep(mine, grad), y, element, h);
        float* to = at.g + row * op.g.rowStride + x * BLOCK + h;
        store(to, ACCUMULATES ? add(load(to), back) : back);
        sums.take<F>(ox % 4, back, y);
      }
    }
  }
}

void clear(float* g, const Tensor& t, int row, int from, int to) {
  for (int i = from * BLOCK; i < to * BLOCK; i += LR) store(g + row * t.rowStride + i, zero());
}

// Zeroes what no window writes: all, where windows add up or leave gaps; else the rows and columns behind the last.
void clearUncovered(const PostBackwardOp& op, float* g) {
  const PostOp& post = *op.post;
  const Tensor& t = post.y;
  const bool tiles = post.kernel == post.stride;
  const int coveredRows = tiles ? post.out.height * post.stride : 0, coveredColumns = tiles ? post.out.width * post.stride : 0;
  for (int row = 0; row < t.height; row++) clear(g, op.g, row, row < coveredRows ? coveredColumns : 0, t.width);
}

template <int F>
void backwardChannel(const PostBackwardOp& op, int shard, int b, int c, float* laneG, float* laneGy) {
  const PostOp& post = *op.post;
  const Pointwise<F> f(post, shard, b, c);
  const OutDropout drop(post, post.kernel ? post.out : post.y, shard, b, c);
  const Pointers at{post.y.block(shard, b) + c * post.y.channelStride, op.dOut.block(shard, b) + c * op.dOut.channelStride,
                    op.g.block(shard, b) + c * op.g.channelStride};
  // before the windows are read: where windows tile, y itself may be g, and what is cleared no window reads
  if (post.kernel) clearUncovered(op, at.g);
  for (int h = 0; h < BLOCK; h += LR) {
    Sums sums(F & NORM ? post.norm->coefficient(shard, MEAN)[c] : 0.0f);
    if (post.kernel == 0) {
      backPlain<F>(op, f, drop, at, h, sums);
    } else if (post.kernel == 2 && post.stride == 2 && (F & DROP) == 0) {
      backPool2x2<F>(op, f, drop, at, h, sums);
    } else if (post.kernel > post.stride) {
      backAnyPool<F, true>(op, f, drop, at, h, sums);
    } else {
      backAnyPool<F, false>(op, f, drop, at, h, sums);
    }
    store(laneG + h, add(add(sums.g[0], sums.g[1]), add(sums.g[2], sums.g[3])));
    store(laneGy + h, add(add(sums.gy[0], sums.gy[1]), add(sums.gy[2], sums.gy[3])));
  }
}

// ---- batch norm's backward in two passes over a channel ----

// dY = g * GRAD + y * GRAD_Y + GRAD_ONE of one channel
struct Apply {
  R perG, perY, constant;
  bool masksByRelu;

  Apply(const NormOp& norm, int shard, int c, const float* laneMask, bool masks) : masksByRelu(masks) {
    const R valid = load(laneMask);
    perG = splat(norm.coefficient(shard, GRAD)[c]);
    perY = mul(splat(norm.coefficient(shard, GRAD_Y)[c]), valid);
    constant = mul(splat(norm.coefficient(shard, GRAD_ONE)[c]), valid);
  }
  INLINE_MEMBER R operator()(R g, R y) const {
    const R d = lockstep::fma(g, perG, lockstep::fma(y, perY, constant));
    return masksByRelu ? keep(greater(y, zero()), d) : d;
  }
};

// Visits a channel's gradients of batchNorm(y): take(element, chain, g, y) for each element, or for windows
// takeWindow(window, d, chain, oy, ox).
template <int F, typename Take>
INLINE void visitPlain(const NormBackwardOp& op, const Pointwise<F>& f, const OutDropout& drop, const float* y, const float* d, int h,
                       Take take) {
  const Tensor& t = op.post->y;
  auto element = [&](int row, int x, int chain) INLINE_LAMBDA {
    const R value = load(y + row * t.rowStride + x * BLOCK + h);
    const int e = row * t.width + x;
    take(row, x, chain, f.back(drop.apply(load(d + row * op.dOut.rowStride + x * BLOCK + h), e, h), value, e, h), value);
  };
  for (int row = 0; row < t.height; row++) {
    int x = 0;
    for (; x + 4 <= t.width; x += 4) UNROLL for (int c = 0; c < 4; c++) element(row, x + c, c);
    for (int c = 0; x + c < t.width; c++) element(row, x + c, c);
  }
}

template <int F, typename Take>
INLINE void visitWindows(const NormBackwardOp& op, const Pointwise<F>& f, const OutDropout& drop, const float* y, const float* d, int h,
                         Take take) {
  const Tensor &t = op.post->y, &out = op.post->out;
  auto window = [&](int oy, int ox, int chain) INLINE_LAMBDA {
    const Window<F> w(f, y + 2 * oy * t.rowStride + 2 * ox * BLOCK + h, t.rowStride, 2 * oy * t.width + 2 * ox, t.width, h);
    R grad = drop.apply(load(d + oy * op.dOut.rowStride + ox * BLOCK + h), oy * out.width + ox, h);
    if constexpr ((F & RELU) != 0) grad = keep(greater(w.best, zero()), grad);
    take(oy, ox, chain, grad, w);
  };
  for (int oy = 0; oy < out.height; oy++) {
    int ox = 0;
    for (; ox + 4 <= out.width; ox += 4) UNROLL for (int c = 0; c < 4; c++) window(oy, ox + c, c);
    for (int c = 0; ox + c < out.width; c++) window(oy, ox + c, c);
  }
}

template <int F, bool POOLS>
void normChannel(const NormBackwardOp& op, const Context& context, int shard, int c, float* contribution) {
  const PostOp& post = *op.post;
  const Tensor& t = post.y;
  const Tensor& out = POOLS ? post.out : t;
  alignas(64) float laneG[BLOCK], laneGy[BLOCK], mask[BLOCK];
  double sumG = 0, sumGy = 0;
  for (int b = 0; b < context.blocksPerShard; b++) {
    const Pointwise<F> f(post, shard, b, c);
    const OutDropout drop(post, out, shard, b, c);
    const float *y = t.block(shard, b) + c * t.channelStride, *d = op.dOut.block(shard, b) + c * op.dOut.channelStride;
    for (int h = 0; h < BLOCK; h += LR) {
      Sums sums(post.norm->coefficient(shard, MEAN)[c]);
      if constexpr (POOLS) {
        visitWindows<F>(op, f, drop, y, d, h, [&](int, int, int chain, R g, const Window<F>& w) INLINE_LAMBDA { sums.take<F>(chain, g, w.yOfBest); });
      } else {
        visitPlain<F>(op, f, drop, y, d, h, [&](int, int, int chain, R g, R value) INLINE_LAMBDA { sums.take<F>(chain, g, value); });
      }
      store(laneG + h, add(add(sums.g[0], sums.g[1]), add(sums.g[2], sums.g[3])));
      store(laneGy + h, add(add(sums.gy[0], sums.gy[1]), add(sums.gy[2], sums.gy[3])));
    }
    for (int i = 0; i < BLOCK; i++) sumG += laneG[i], sumGy += laneGy[i];
  }
  finishNormBackward(*post.norm, context, shard, c, sumG, sumGy, contribution);
  for (int b = 0; b < context.blocksPerShard; b++) {
    const Pointwise<F> f(post, shard, b, c);
    const OutDropout drop(post, out, shard, b, c);
    float* y = t.block(shard, b) + c * t.channelStride;
    const float* d = op.dOut.block(shard, b) + c * op.dOut.channelStride;
    laneMask(context.validLanes(shard, b), mask);
    for (int h = 0; h < BLOCK; h += LR) {
      const Apply apply(*post.norm, shard, c, mask + h, op.masksByRelu);
      auto put = [&](int row, int x, R value) INLINE_LAMBDA { store(y + row * t.rowStride + x * BLOCK + h, value); };
      if constexpr (POOLS) {
        visitWindows<F>(op, f, drop, y, d, h, [&](int oy, int ox, int, R g, const Window<F>& w) INLINE_LAMBDA {
          UNROLL for (int k = 0; k < 4; k++) put(2 * oy + (k >> 1), 2 * ox + (k & 1), apply(w.onlyAt(k, g), w.y[k]));
        });
        // rows and columns behind the last window
        for (int row = 0; row < t.height; row++) {
          for (int x = row < 2 * out.height ? 2 * out.width : 0; x < t.width; x++) put(row, x, apply(zero(), load(y + row * t.rowStride + x * BLOCK + h)));
        }
      } else {
        visitPlain<F>(op, f, drop, y, d, h, [&](int row, int x, int, R g, R value) INLINE_LAMBDA { put(row, x, apply(g, value)); });
      }
    }
  }
}

int flagsOf(const PostOp& op) { return (op.norm ? NORM : 0) | (op.withRelu ? RELU : 0) | (op.dropout1 ? DROP : 0); }

Pool poolOf(const PostOp& op) { return op.kernel == 0 ? NO_POOL : op.kernel == 2 && op.stride == 2 ? POOL_2X2 : ANY_POOL; }

using Forward = void (*)(const PostOp&, int, int, int);
#define FORWARDS(F) {forwardChannel<F, NO_POOL>, forwardChannel<F, POOL_2X2>, forwardChannel<F, ANY_POOL>}
constexpr Forward FORWARD[FLAGS][3] = {FORWARDS(0), FORWARDS(1), FORWARDS(2), FORWARDS(3),
                                       FORWARDS(4), FORWARDS(5), FORWARDS(6), FORWARDS(7)};
using Backward = void (*)(const PostBackwardOp&, int, int, int, float*, float*);
constexpr Backward BACKWARD[FLAGS] = {backwardChannel<0>, backwardChannel<1>, backwardChannel<2>, backwardChannel<3>,
                                      backwardChannel<4>, backwardChannel<5>, backwardChannel<6>, backwardChannel<7>};

using NormChannel = void (*)(const NormBackwardOp&, const Context&, int, int, float*);
constexpr NormChannel NORM_CHANNEL[FLAGS] = {nullptr, normChannel<NORM, false>, nullptr, normChannel<NORM | RELU, false>,
                                             nullptr, normChannel<NORM | DROP, false>, nullptr, normChannel<NORM | RELU | DROP, false>};

}  // namespace

void runDropoutMask(const DropoutOp& op, const Context& context, int shard) {
  const Key key{context.seedLow, context.seedHigh};
  for (int b = 0; b < context.blocksPerShard; b++) {
    uint16_t* bits = op.block(shard, b);
    for (int first = 0; first < op.elements; first += 8) {
      uint32_t words[4][BLOCK];
      philoxLanes(key, first / 8, context.firstSample(shard, b), context.step, DROPOUT | op.layer << 8, words);
      for (int e = first; e < op.elements && e < first + 8; e++) {
        bits[e] = halvesAtLeast(words[(e - first) / 2], e & 1, op.threshold);
      }
    }
  }
}

// In evaluation there is no dropout.
static PostOp forContext(const PostOp& op, const Context& context) {
  PostOp own = op;
  if (!context.train) own.dropout1 = own.dropout2 = nullptr;
  return own;
}

void runPostForward(const PostOp& op, const Context& context, int shard) {
  const PostOp own = forContext(op, context);
  const Forward forward = FORWARD[flagsOf(own)][poolOf(own)];
  for (int b = 0; b < context.blocksPerShard; b++) {
    for (int c = 0; c < op.y.channels; c++) forward(own, shard, b, c);
  }
}

void runPostBackward(const PostBackwardOp& op, const Context& context, int shard, double* sumG, double* sumGy) {
  alignas(64) float laneG[BLOCK], laneGy[BLOCK];
  for (int c = 0; c < op.post->y.channels; c++) {
    if (op.post->norm) sumG[c] = sumGy[c] = 0;
    for (int b = 0; b < context.blocksPerShard; b++) {
      BACKWARD[flagsOf(*op.post)](op, shard, b, c, laneG, laneGy);
      if (!op.post->norm) continue;
      for (int i = 0; i < BLOCK; i++) sumG[c] += laneG[i], sumGy[c] += laneGy[i];
    }
  }
}

void runNormBackward(const NormBackwardOp& op, const Context& context, int shard, float* contribution) {
  const int flags = flagsOf(*op.post);
  NormChannel channel = NORM_CHANNEL[flags];
  if (op.post->kernel) channel = flags & RELU ? normChannel<NORM | RELU, true> : normChannel<NORM, true>;
  for (int c = 0; c < op.post->y.channels; c++) channel(op, context, shard, c, contribution);
}

void runApply(const ApplyOp& op, const Context& context, int shard) {
  alignas(64) float mask[BLOCK];
  const Tensor &y = op.y, &g = op.g;
  for (int b = 0; b < context.blocksPerShard; b++) {
    laneMask(context.validLanes(shard, b), mask);
    for (int c = 0; c < y.channels; c++) {
      float* to = y.block(shard, b) + c * y.channelStride;
      const float* from = g.block(shard, b) + c * g.channelStride;
      for (int h = 0; h < BLOCK; h += LR) {
        const R valid = load(mask + h);
        const R perG = splat(op.norm ? op.norm->coefficient(shard, GRAD)[c] : 1.0f);
        const R perY = mul(splat(op.norm ? op.norm->coefficient(shard, GRAD_Y)[c] : 0.0f), valid);
        const R constant = mul(splat(op.norm ? op.norm->coefficient(shard, GRAD_ONE)[c] : 0.0f), valid);
        for (int row = 0; row < y.height; row++) {
          for (int x = 0; x < y.width; x++) {
            float* at = to + row * y.rowStride + x * BLOCK + h;
            const R value = load(at), grad = load(from + row * g.rowStride + x * BLOCK + h);
            R d = op.norm ? lockstep::fma(grad, perG, lockstep::fma(value, perY, constant)) : grad;
            if (op.masksByRelu) d = keep(greater(value, zero()), d);
            store(at, d);
          }
        }
      }
    }
  }
}

void runAveragePool(const AveragePoolOp& op, const Context& context, int shard) {
  const Tensor &in = op.in, &out = op.out;
  const R inverse = splat(1.0f / (float)(op.kernelHeight * op.kernelWidth));
  for (int b = 0; b < context.blocksPerShard; b++) {
    for (int c = 0; c < in.channels; c++) {
      const float* from = in.block(shard, b) + c * in.channelStride;
      float* to = out.block(shard, b) + c * out.channelStride;
      for (int y = 0; y < out.height; y++) {
        for (int x = 0; x < out.width; x++) {
          for (int h = 0; h < BLOCK; h += LR) {
            R sum = zero();
            for (int k = 0; k < op.kernelHeight * op.kernelWidth; k++) {
              const int row = y * op.stride + k / op.kernelWidth, column = x * op.stride + k % op.kernelWidth;
              sum = add(sum, load(from + row * in.rowStride + column * BLOCK + h));
            }
            store(to + y * out.rowStride + x * BLOCK + h, mul(sum, inverse));
          }
        }
      }
    }
  }
}

void runAveragePoolBackward(const AveragePoolOp& op, const Tensor& dOut, const Tensor& dIn, const Context& context, int shard) {
  const R inverse = splat(1.0f / (float)(op.kernelHeight * op.kernelWidth));
  for (int b = 0; b < context.blocksPerShard; b++) {
    for (int c = 0; c < dIn.channels; c++) {
      float* to = dIn.block(shard, b) + c * dIn.channelStride;
      const float* from = dOut.block(shard, b) + c * dOut.channelStride;
      for (int y = 0; y < dIn.height; y++) {
        for (int i = 0; i < dIn.width * BLOCK; i += LR) store(to + y * dIn.rowStride + i, zero());
      }
      for (int y = 0; y < dOut.height; y++) {
        for (int x = 0; x < dOut.width; x++) {
          for (int h = 0; h < BLOCK; h += LR) {
            const R d = mul(load(from + y * dOut.rowStride + x * BLOCK + h), inverse);
            for (int k = 0; k < op.kernelHeight * op.kernelWidth; k++) {
              float* at = to + (y * op.stride + k / op.kernelWidth) * dIn.rowStride + (x * op.stride + k % op.kernelWidth) * BLOCK + h;
              store(at, add(load(at), d));
            }
          }
        }
      }
    }
  }
}

}  // namespace lockstep
