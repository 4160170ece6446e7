// Reads an encoded program, and refuses one that is malformed: see ownership.h for what that means beside the encoding.
#include <algorithm>

#include "program.h"
#include "scratch.h"
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace lockstep {
namespace {

float asFloat(int32_t bits) {
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

// Far more than a recipe gives; keeps products of sizes within 64 bits
constexpr int MOST_BLOCKS = 1 << 16;

struct Reader {
  const int32_t* at;
  const int32_t* end;
  bool overrun = false;
  int32_t next() {
    if (at == end) {
      overrun = true;
      return 0;
    }
    return *at++;
  }
  float nextFloat() { return asFloat(next()); }
};

}  // namespace

Program* Program::parse(const int32_t* code, size_t length, const char** error) {
  Reader header{code, code + length};
  Program* p = new Program();
  auto fail = [&](const char* text) {
    *error = text;
    delete p;
    return nullptr;
  };
  p->waveShards_ = header.next();
  p->blocksPerShard_ = header.next();
  p->prefix_ = header.next();
  const int64_t scratchFloats = (int64_t)header.next() * BLOCK, leavesAt = (int64_t)header.next() * BLOCK;
  const int maxChannels = header.next();
  const bool isPowerOfTwo = p->waveShards_ > 0 && (p->waveShards_ & (p->waveShards_ - 1)) == 0;
  if (header.overrun || !isPowerOfTwo || p->waveShards_ > MOST_BLOCKS || p->blocksPerShard_ < 1 ||
      p->blocksPerShard_ > MOST_BLOCKS || p->prefix_ < 0 || maxChannels < 1 || maxChannels > scratchFloats / BLOCK + 1 || leavesAt < 0 || leavesAt + (int64_t)p->waveShards_ * p->prefix_ > scratchFloats) {
    return fail("program header is malformed");
  }
  const char* noMemory = "out of memory for the scratch of the kernels";
  if ((uint64_t)scratchFloats > (SIZE_MAX - SCRATCH_ALIGNMENT) / sizeof(float)) return fail(noMemory);
  p->scratchBytes_ = (size_t)scratchFloats * sizeof(float);
  p->scratch_ = allocateScratch(p->scratchBytes_);
  if (!p->scratch_) return fail(noMemory);
  float* scratch = (float*)(((uintptr_t)p->scratch_ + SCRATCH_ALIGNMENT - 1) / SCRATCH_ALIGNMENT * SCRATCH_ALIGNMENT);
  p->leaves_ = scratch + leavesAt;
  p->places_ = Places(scratchFloats, p->waveShards_, p->blocksPerShard_);
  p->places_.take(leavesAt, (int64_t)p->waveShards_ * p->prefix_);
  p->sumG_.resize(maxChannels);
  p->sumGy_.resize(maxChannels);
  // pointers between the lists are kept: no list may move
  const size_t most = length;
  p->norms_.reserve(most), p->dropouts_.reserve(most), p->posts_.reserve(most);

  while (header.at < header.end) {
    const Record record = (Record)header.next();
    const int32_t payload = header.next();
    if (header.overrun || payload < 0 || payload > header.end - header.at) return fail("program record runs out of the program");
    Reader r{header.at, header.at + payload};
    header.at += payload;
    const char* missing = nullptr;
    auto idOf = [&](size_t count, const char* text) {
      const int id = r.next();
      if (id >= 0 && id < (int)count) return id;
      missing = text;
      return -1;
    };
    auto tensorId = [&]() { return idOf(p->tensors_.size(), "program names a tensor that is not there"); };
    auto tensor = [&]() -> Tensor {
      const int id = tensorId();
      return id < 0 ? Tensor{} : p->tensors_[id];
    };
    // -1 names none
    auto isNone = [&]() { return r.at < r.end && *r.at == -1 && r.next() == -1; };
    auto norm = [&]() -> const NormOp* {
      if (isNone()) return nullptr;
      const int id = idOf(p->norms_.size(), "program names a norm that is not there");
      return id < 0 ? nullptr : &p->norms_[id];
    };
    auto dropoutId = [&]() { return idOf(p->dropouts_.size(), "program names a dropout that is not there"); };
    auto dropout = [&]() -> const DropoutOp* {
      if (isNone()) return nullptr;
      const int id = dropoutId();
      return id < 0 ? nullptr : &p->dropouts_[id];
    };
    auto convId = [&]() { return idOf(p->convs_.size(), "program names a convolution that is not there"); };
    auto take = [&](bool fits, int64_t at, int64_t floats) {
      if (!fits || !p->places_.take(at, floats)) missing = "program has a record that does not fit in its memory";
    };
    auto denseId = [&]() { return idOf(p->denses_.size(), "program names a dense layer that is not there"); };
    Op op{record, 0};
    bool isOp = true;
    switch (record) {
      case TENSOR: {
        Tensor t{};
        const int64_t at = (int64_t)r.next() * BLOCK, interior = r.next();  // from the allocation to the interior
        t.base = scratch + at + interior;
        t.shardStride = (int64_t)r.next() * BLOCK, t.blockStride = (int64_t)r.next() * BLOCK;
        t.channelStride = r.next(), t.rowStride = r.next();
        t.channels = r.next(), t.height = r.next(), t.width = r.next();
        t.place = p->places_.add(t, at, interior);
        if (t.place < 0) missing = "program has a tensor that does not fit in its memory";
        p->tensors_.push_back(t);
        isOp = false;
        break;
      }
      case NORM: {
        NormOp n{};
        n.y = tensor();
        const int64_t at = (int64_t)r.next() * BLOCK;
        n.coefficients = scratch + at;
        n.coefficientStride = (int64_t)r.next() * BLOCK;
        take(n.coefficientStride >= (int64_t)COEFFICIENTS * n.y.channels, at, n.coefficientStride * p->waveShards_);
        n.gamma = r.next(), n.beta = r.next(), n.statistics = r.next(), n.isFrozen = r.next() != 0;
        p->norms_.push_back(n);
        isOp = false;
        break;
      }
      case DROPOUT_BITS: {
        DropoutOp d{};
        const int64_t at = (int64_t)r.next() * BLOCK;
        d.bits = (uint16_t*)(scratch + at);
        d.shardStride = r.next(), d.blockStride = r.next(), d.elements = r.next();
        const bool fits = d.elements >= 1 && d.blockStride >= d.elements && d.shardStride >= d.blockStride * p->blocksPerShard_;
        take(fits, at, d.shardStride * p->waveShards_ / 2);
        d.threshold = (uint32_t)r.next(), d.keepScale = r.nextFloat(), d.layer = (uint32_t)r.next();
        p->dropouts_.push_back(d);
        isOp = false;
        break;
      }
      case ROUNDING:
        while (r.at < r.end) {
          const int64_t begin = (int64_t)r.next() * BLOCK;
          p->rounding_.add(begin, (int64_t)r.next() * BLOCK);
        }
        isOp = false;
        break;
      case STAGE: {
        const bool isWave = r.next() != 0;
        p->stages_.push_back({isWave, r.next() != 0, {}});
        isOp = false;
        break;
      }
      case INPUT: {
        InputOp in{};
        in.out = tensor();
        in.rotation = r.nextFloat(), in.zoom = r.nextFloat(), in.move = r.next();
        in.crop = r.nextFloat(), in.cropProbability = r.nextFloat();
        const int64_t at = (int64_t)r.next() * BLOCK;
        in.bordered = (uint8_t*)(scratch + at);
        take(in.move >= 0, at, inputScratchBytes(in.out.channels, in.out.height, in.out.width) / (int64_t)sizeof(float));
        while (r.at < r.end) {
          in.scale.push_back(r.nextFloat());
          in.shift.push_back(r.nextFloat());
        }
        if ((int)in.scale.size() != in.out.channels) return fail("program record has the wrong length");
        op.index = (int)p->inputs_.size();
        p->inputs_.push_back(in);
        break;
      }
      case DROPOUT_MASK: op.index = dropoutId(); break;
      case NORM_FORWARD: {
        op.index = idOf(p->norms_.size(), "program names a norm that is not there");
        if (missing) break;
        const NormOp& n = p->norms_[op.index];
        if (!n.isFrozen) op.begin = n.statistics, op.end = op.begin + 3 * (int64_t)n.y.channels;
        break;
      }
      case CONV: {
        ConvOp c{};
        c.in = tensorId(), c.out = tensorId(), c.weight = r.next(), c.bias = r.next();
        if (missing) return fail(missing);
        const Tensor &in = p->tensors_[c.in], &out = p->tensors_[c.out];
        const int kernel = r.next(), stride = r.next(), padding = r.next(), groups = r.next();
        c.shape = {in.channels, out.channels, kernel, stride, padding, groups, in.height, in.width, out.height, out.width};
        if (!fitsConv(c.shape, in)) return fail("program has a convolution of an impossible shape");
        c.withRelu = r.next() != 0;
        c.winogradForward = usesWinograd(kernel, stride, groups, in.channels, out.channels, out.height, out.width);
        if (c.winogradForward) {
          c.forwardW = planWinograd(c.shape, false);
          p->winogradFloats_ = std::max(p->winogradFloats_, winogradScratch(c.forwardW));
        } else {
          c.forward = planConvForward(c.shape, in, out);
        }
        c.winogradWeightGradient = usesWinogradGradient(c.shape);
        if (c.winogradWeightGradient) {
          c.weightGradientW = planWinogradGradient(c.shape);
          p->winogradFloats_ = std::max(p->winogradFloats_, winogradGradientScratch(c.weightGradientW));
        } else {
          c.weightGradient = planConvWeightGradient(c.shape, in);
        }
        op.index = (int)p->convs_.size();
        p->convs_.push_back(c);
        break;
      }
      case POST: {
        PostOp o{};
        o.y = tensor(), o.out = tensor(), o.norm = norm(), o.withRelu = r.next() != 0;
        o.dropout1 = dropout(), o.dropout2 = dropout(), o.kernel = r.next(), o.stride = r.next();
        op.index = (int)p->posts_.size();
        p->posts_.push_back(o);
        isOp = r.next() != 0;  // a post that only has a backward (ReLU in the convolution's store)
        break;
      }
      case AVERAGE_POOL: {
        AveragePoolOp a{};
        a.in = tensor(), a.out = tensor(), a.kernelHeight = r.next(), a.kernelWidth = r.next(), a.stride = r.next();
        op.index = (int)p->averagePools_.size();
        p->averagePools_.push_back(a);
        break;
      }
      case DENSE: {
        DenseOp d{};
        d.in = tensor(), d.out = tensor(), d.weight = r.next(), d.bias = r.next();
        const int64_t at = (int64_t)r.next() * BLOCK;
        d.transposed = scratch + at;
        d.transposedShardStride = (int64_t)r.next() * BLOCK, d.pitch = r.next();
        // the weight gradient loads whole registers of inputs, beyond the last sample's too
        const bool fits = d.pitch >= d.in.channels && d.pitch % BLOCK == 0 && d.transposedShardStride >= (int64_t)d.pitch * BLOCK * p->blocksPerShard_;
        take(fits, at, d.transposedShardStride * p->waveShards_ + 4 * BLOCK);
        op.index = (int)p->denses_.size();
        p->denses_.push_back(d);
        break;
      }
      case LOSS: {
        LossOp l{};
        l.logits = tensor(), l.result = r.next(), l.smoothing = r.nextFloat();
        op.index = (int)p->losses_.size();
        op.begin = l.result, op.end = op.begin + 2;
        p->losses_.push_back(l);
        break;
      }
      case DENSE_WEIGHT_GRADIENT: {
        op.index = denseId(), op.a = tensorId();
        if (missing) return fail(missing);
        const DenseOp& d = p->denses_[op.index];
        op.begin = d.weight, op.end = op.begin + (int64_t)d.in.channels * d.out.channels;
        break;
      }
      case DENSE_INPUT_GRADIENT: op.index = denseId(), op.a = tensorId(), op.b = tensorId(); break;
      case AVERAGE_POOL_BACKWARD:
        op.index = idOf(p->averagePools_.size(), "program names an average pool that is not there");
        op.a = tensorId(), op.b = tensorId();
        break;
      case POST_BACKWARD: {
        PostBackwardOp b{};
        const int post = idOf(p->posts_.size(), "program names a post that is not there");
        if (missing) return fail(missing);
        b.post = &p->posts_[post];
        b.dOut = tensor(), b.g = tensor();
        op.index = (int)p->postBackwards_.size();
        if (b.post->norm && !b.post->norm->isFrozen) op.begin = b.post->norm->gamma, op.end = (int64_t)b.post->norm->beta + b.post->y.channels;
        p->postBackwards_.push_back(b);
        break;
      }
      case NORM_BACKWARD: {
        NormBackwardOp b{};
        const int post = r.next();
        if (post < 0 || post >= (int)p->posts_.size() || !p->posts_[post].norm) return fail("program names a post that is not there");
        b.post = &p->posts_[post];
        b.dOut = tensor(), b.masksByRelu = r.next() != 0;
        op.index = (int)p->normBackwards_.size();
        if (!b.post->norm->isFrozen) op.begin = b.post->norm->gamma, op.end = (int64_t)b.post->norm->beta + b.post->y.channels;
        p->normBackwards_.push_back(b);
        break;
      }
      case APPLY: {
        ApplyOp a{};
        a.y = tensor(), a.g = tensor(), a.norm = norm(), a.masksByRelu = r.next() != 0;
        op.index = (int)p->applies_.size();
        p->applies_.push_back(a);
        break;
      }
      case CONV_WEIGHT_GRADIENT: {
        op.index = convId(), op.a = tensorId();
        if (missing) return fail(missing);
        const ConvOp& c = p->convs_[op.index];
        op.begin = c.weight, op.end = op.begin + (int64_t)c.shape.outChannels * (c.shape.inChannels / c.shape.groups) * c.shape.kernel * c.shape.kernel;
        break;
      }
      case CONV_INPUT_GRADIENT: {
        op.index = convId(), op.a = tensorId(), op.b = tensorId();
        if (missing) return fail(missing);
        ConvOp& c = p->convs_[op.index];
        const ConvShape& shape = c.shape;
        c.winogradInputGradient = shape.padding <= 2 && usesWinograd(shape.kernel, shape.stride, shape.groups, shape.outChannels,
                                                                     shape.inChannels, shape.inHeight, shape.inWidth);
        if (!fitsConvInputGradient(shape, p->tensors_[op.a], p->tensors_[op.b], c.winogradInputGradient)) {
          return fail("program has an op whose tensors do not fit each other");
        }
        if (c.winogradInputGradient) {
          c.inputGradientW = planWinograd(shape, true);
          p->winogradFloats_ = std::max(p->winogradFloats_, winogradScratch(c.inputGradientW));
        } else {
          c.inputGradient = planConvInputGradient(shape, p->tensors_[op.a], p->tensors_[op.b]);
        }
        c.hasInputGradient = true;
        break;
      }
      case CONV_BIAS_GRADIENT:
        op.a = tensorId(), op.begin = r.next();
        if (missing) return fail(missing);
        op.end = op.begin + p->tensors_[op.a].channels;
        break;
      case ZERO_GRADIENT:
        op.begin = r.next(), op.end = r.next();
        break;
      default: return fail("program holds a record of an unknown kind");
    }
    if (r.overrun || r.at != r.end) return fail("program record has the wrong length");
    if (missing) return fail(missing);
    if (!isOp) continue;
    if (p->stages_.empty()) return fail("program has an op before its first stage");
    p->stages_.back().ops.push_back(op);
  }
  if (const char* fault = p->findFault()) return fail(fault);
#if defined(__SANITIZE_ADDRESS__)
  p->places_.eachGap([&](int64_t at, int64_t floats) { ASAN_POISON_MEMORY_REGION(scratch + at, floats * sizeof(float)); });
#endif
  p->winogradMemory_.resize(p->winogradFloats_ + BLOCK);
  p->winograd_ = (float*)(((uintptr_t)p->winogradMemory_.data() + 63) / 64 * 64);
  return p;
}

}  // namespace lockstep
