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

template <int F>
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
        if (op.kernel == 0) {
          v = f.value(load(in + oy * y.rowStride + ox * BLOCK + h), oy * y.width + ox, h);
        } else {
          const int top = oy * op.stride, left = ox * op.stride;
          for (int ky = 0; ky < op.kernel; ky++) {
            for (int kx = 0; kx < op.kernel; kx++) {
              const R next = f.value(load(in + (top + ky) * y.rowStride + (left + kx) * BLOCK + h), (top + ky) * y.width + left + kx, h);
              v = ky + kx == 0 ? next : select(greater(v, next), v, next);
            }
          }
        }
        store(to + oy * out.rowStride + ox * BLOCK + h, drop.apply(v, oy * out.width + ox, h));
      }
    }
  }
}

struct Sums {
  R g, gy, mean;
};

template <int F>
INLINE void addSums(Sums& sums, R g, R y) {
  if constexpr ((F & NORM) != 0) {
    sums.g = add(sums.g, g);
    sums.gy = lockstep::fma(g, sub(y, sums.mean), sums.gy);
  }
}

// Without a pool: element by element.
template <int F>
void backPlain(const PostBackwardOp& op, const Pointwise<F>& f, const OutDropout& drop, const float* y, const float* d,
               float* g, int h, Sums& sums) {
  const Tensor& t = op.post->y;
  for (int row = 0; row < t.height; row++) {
    for (int x = 0; x < t.width; x++) {
      const R value = load(y + row * t.rowStride + x * BLOCK + h);
      const int element = row * t.width + x;
      const R back = f.back(drop.apply(load(d + row * op.dOut.rowStride + x * BLOCK + h), element, h), value, element, h);
      store(g + row * op.g.rowStride + x * BLOCK + h, back);
      addSums<F>(sums, back, value);
    }
  }
}

// Windows of a max pool, in row order; the first of equal values takes the gradient. `accumulates` where they overlap.
template <int F, bool ACCUMULATES>
void backPool(const PostBackwardOp& op, const Pointwise<F>& f, const OutDropout& drop, const float* y, const float* d,
              float* g, int h, Sums& sums) {
  const PostOp& post = *op.post;
  const Tensor &t = post.y, &out = post.out;
  const int kernel = post.kernel;
  for (int oy = 0; oy < out.height; oy++) {
    for (int ox = 0; ox < out.width; ox++) {
      const int top = oy * post.stride, left = ox * post.stride;
      const R grad = drop.apply(load(d + oy * op.dOut.rowStride + ox * BLOCK + h), oy * out.width + ox, h);
      R best = f.value(load(y + top * t.rowStride + left * BLOCK + h), top * t.width + left, h);
      for (int k = 1; k < kernel * kernel; k++) {
        const int row = top + k / kernel, x = left + k % kernel;
        const R next = f.value(load(y + row * t.rowStride + x * BLOCK + h), row * t.width + x, h);
        best = select(greater(best, next), best, next);
      }
      Mask taken = noLanes();
      for (int ky = 0; ky < kernel; ky++) {
        for (int kx = 0; kx < kernel; kx++) {
          const int row = top + ky, x = left + kx, element = row * t.width + x;
          const R value = load(y + row * t.rowStride + x * BLOCK + h);
          const Mask mine = andNot(equal(f.value(value, element, h), best), taken);
          taken = maskOr(taken, mine);
          const R back = f.back(keep(mine, grad), value, element, h);
          float* to = g + row * op.g.rowStride + x * BLOCK + h;
          store(to, ACCUMULATES ? add(load(to), back) : back);
          addSums<F>(sums, back, value);
        }
      }
    }
  }
}

// Zeroes the elements of g that no window writes (or all, where windows add up).
void clearUncovered(const PostBackwardOp& op, float* g, bool all) {
  const PostOp& post = *op.post;
  const Tensor& t = post.y;
  for (int row = 0; row < t.height; row++) {
    for (int x = 0; x < t.width; x++) {
      const bool covered = row / post.stride < post.out.height && row % post.stride < post.kernel &&
                           x / post.stride < post.out.width && x % post.stride < post.kernel;
      if (covered && !all) continue;
      for (int h = 0; h < BLOCK; h += LR) store(g + row * op.g.rowStride + x * BLOCK + h, zero());
    }
  }
}

template <int F>
void backwardChannel(const PostBackwardOp& op, int shard, int b, int c, float* laneG, float* laneGy) {
  const PostOp& post = *op.post;
  const Pointwise<F> f(post, shard, b, c);
  const OutDropout drop(post, post.kernel ? post.out : post.y, shard, b, c);
  const float* y = post.y.block(shard, b) + c * post.y.channelStride;
  const float* d = op.dOut.block(shard, b) + c * op.dOut.channelStride;
  float* g = op.g.block(shard, b) + c * op.g.channelStride;
  const bool overlaps = post.kernel > post.stride;
  if (post.kernel) clearUncovered(op, g, overlaps);
  for (int h = 0; h < BLOCK; h += LR) {
    Sums sums{zero(), zero(), splat(F & NORM ? post.norm->coefficient(shard, MEAN)[c] : 0.0f)};
    if (post.kernel == 0) {
      backPlain<F>(op, f, drop, y, d, g, h, sums);
    } else if (overlaps) {
      backPool<F, true>(op, f, drop, y, d, g, h, sums);
    } else {
      backPool<F, false>(op, f, drop, y, d, g, h, sums);
    }
    store(laneG + h, sums.g);
    store(laneGy + h, sums.gy);
  }
}

int flagsOf(const PostOp& op) { return (op.norm ? NORM : 0) | (op.withRelu ? RELU : 0) | (op.dropout1 ? DROP : 0); }

using Forward = void (*)(const PostOp&, int, int, int);
constexpr Forward FORWARD[FLAGS] = {forwardChannel<0>, forwardChannel<1>, forwardChannel<2>, forwardChannel<3>,
                                    forwardChannel<4>, forwardChannel<5>, forwardChannel<6>, forwardChannel<7>};
using Backward = void (*)(const PostBackwardOp&, int, int, int, float*, float*);
constexpr Backward BACKWARD[FLAGS] = {backwardChannel<0>, backwardChannel<1>, backwardChannel<2>, backwardChannel<3>,
                                      backwardChannel<4>, backwardChannel<5>, backwardChannel<6>, backwardChannel<7>};

}  // namespace

void runDropoutMask(const DropoutOp& op, const Context& context, int shard) {
  const Key key{context.seedLow, context.seedHigh};
  for (int b = 0; b < context.blocksPerShard; b++) {
    uint16_t* bits = op.block(shard, b);
    for (int first = 0; first < op.elements; first += 8) {
      uint32_t words[4][BLOCK];
      philoxLanes(key, first / 8, context.firstSample(shard, b), context.step, DROPOUT | op.layer << 8, words);
      for (int e = first; e < op.elements && e < first + 8; e++) {
        const uint32_t* word = words[(e - first) / 2];
        const int half = (e & 1) * 16;
        uint32_t kept = 0;
        for (int i = 0; i < BLOCK; i++) kept |= (uint32_t)((word[i] >> half & 0xffff) >= op.threshold) << i;
        bits[e] = (uint16_t)kept;
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
  for (int b = 0; b < context.blocksPerShard; b++) {
    for (int c = 0; c < op.y.channels; c++) FORWARD[flagsOf(own)](own, shard, b, c);
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
