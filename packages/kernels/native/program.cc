#include "program.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>

namespace lockstep {
namespace {

float asFloat(int32_t bits) {
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

constexpr size_t HUGE_PAGE = 2 << 20;

// Zeroed, aligned to huge pages where there are any
void* allocateScratch(size_t bytes) {
  void* at = mmap(nullptr, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return nullptr;
#ifdef MADV_HUGEPAGE
  madvise(at, bytes + HUGE_PAGE, MADV_HUGEPAGE);
#endif
  return at;
}

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

Program::~Program() {
  if (scratch_) munmap(scratch_, scratchBytes_ + HUGE_PAGE);
}

Program* Program::parse(const int32_t* code, size_t length, const char** error) {
  Reader header{code, code + length};
  Program* p = new Program();
  auto fail = [&](const char* text) {
    *error = text;
    delete p;
    return nullptr;
  };
  p->groupShards_ = header.next();
  p->blocksPerShard_ = header.next();
  p->prefix_ = header.next();
  const int64_t scratchFloats = (int64_t)header.next() * BLOCK, leavesAt = (int64_t)header.next() * BLOCK;
  const int maxChannels = header.next();
  const bool isPowerOfTwo = p->groupShards_ > 0 && (p->groupShards_ & (p->groupShards_ - 1)) == 0;
  if (header.overrun || !isPowerOfTwo || p->blocksPerShard_ < 1 || p->prefix_ < 0 || maxChannels < 1 || leavesAt < 0 ||
      leavesAt + (int64_t)p->groupShards_ * p->prefix_ > scratchFloats) {
    return fail("program header is malformed");
  }
  p->scratchBytes_ = (size_t)scratchFloats * sizeof(float);
  p->scratch_ = allocateScratch(p->scratchBytes_);
  if (!p->scratch_) return fail("out of memory for the scratch of the kernels");
  float* scratch = (float*)(((uintptr_t)p->scratch_ + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
  p->leaves_ = scratch + leavesAt;
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
    // Ids are checked, sizes and offsets are trusted: they come from this package's program.ts.
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
    auto denseId = [&]() { return idOf(p->denses_.size(), "program names a dense layer that is not there"); };
    Op op{record, 0};
    bool isOp = true;
    switch (record) {
      case TENSOR: {
        Tensor t{};
        t.base = scratch + (int64_t)r.next() * BLOCK;
        t.base += r.next();  // from the allocation to the interior
        t.shardStride = (int64_t)r.next() * BLOCK, t.blockStride = (int64_t)r.next() * BLOCK;
        t.channelStride = r.next(), t.rowStride = r.next();
        t.channels = r.next(), t.height = r.next(), t.width = r.next();
        p->tensors_.push_back(t);
        isOp = false;
        break;
      }
      case NORM: {
        NormOp n{};
        n.y = tensor();
        n.coefficients = scratch + (int64_t)r.next() * BLOCK;
        n.coefficientStride = (int64_t)r.next() * BLOCK;
        n.gamma = r.next(), n.beta = r.next(), n.statistics = r.next(), n.isFrozen = r.next() != 0;
        p->norms_.push_back(n);
        isOp = false;
        break;
      }
      case DROPOUT_BITS: {
        DropoutOp d{};
        d.bits = (uint16_t*)(scratch + (int64_t)r.next() * BLOCK);
        d.shardStride = r.next(), d.blockStride = r.next(), d.elements = r.next();
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
        const bool isGroup = r.next() != 0;
        p->stages_.push_back({isGroup, r.next() != 0, {}});
        isOp = false;
        break;
      }
      case INPUT: {
        InputOp in{};
        in.out = tensor();
        in.rotation = r.nextFloat(), in.zoom = r.nextFloat(), in.move = r.next();
        in.crop = r.nextFloat(), in.cropProbability = r.nextFloat();
        in.bordered = (uint8_t*)(scratch + (int64_t)r.next() * BLOCK);
        for (int c = 0; c < in.out.channels && c < 16; c++) in.scale[c] = r.nextFloat(), in.shift[c] = r.nextFloat();
        op.index = (int)p->inputs_.size();
        p->inputs_.push_back(in);
        break;
      }
      case DROPOUT_MASK: op.index = dropoutId(); break;
      case NORM_FORWARD: {
        op.index = idOf(p->norms_.size(), "program names a norm that is not there");
        if (missing) break;
        const NormOp& n = p->norms_[op.index];
        if (!n.isFrozen) op.begin = n.statistics, op.end = n.statistics + 3 * n.y.channels;
        break;
      }
      case CONV: {
        ConvOp c{};
        c.in = tensorId(), c.out = tensorId(), c.weight = r.next(), c.bias = r.next();
        if (missing) return fail(missing);
        const Tensor &in = p->tensors_[c.in], &out = p->tensors_[c.out];
        const int kernel = r.next(), stride = r.next(), padding = r.next(), groups = r.next();
        if (kernel < 1 || stride < 1 || padding < 0 || groups < 1 || in.channels % groups != 0 || out.channels % groups != 0) {
          return fail("program has a convolution of an impossible shape");
        }
        c.shape = {in.channels, out.channels, kernel, stride, padding, groups, in.height, in.width, out.height, out.width};
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
        d.transposed = scratch + (int64_t)r.next() * BLOCK;
        d.transposedShardStride = (int64_t)r.next() * BLOCK, d.pitch = r.next();
        op.index = (int)p->denses_.size();
        p->denses_.push_back(d);
        break;
      }
      case LOSS: {
        LossOp l{};
        l.logits = tensor(), l.result = r.next(), l.smoothing = r.nextFloat();
        op.index = (int)p->losses_.size();
        op.begin = l.result, op.end = l.result + 2;
        p->losses_.push_back(l);
        break;
      }
      case DENSE_WEIGHT_GRADIENT: op.index = denseId(), op.a = tensorId(); break;
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
        if (b.post->norm && !b.post->norm->isFrozen) op.begin = b.post->norm->gamma, op.end = b.post->norm->beta + b.post->y.channels;
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
        op.begin = b.post->norm->gamma, op.end = b.post->norm->beta + b.post->y.channels;
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
      case CONV_WEIGHT_GRADIENT: op.index = convId(), op.a = tensorId(); break;
      case CONV_INPUT_GRADIENT: {
        op.index = convId(), op.a = tensorId(), op.b = tensorId();
        if (missing) return fail(missing);
        ConvOp& c = p->convs_[op.index];
        const ConvShape& shape = c.shape;
        c.winogradInputGradient = shape.padding <= 2 && usesWinograd(shape.kernel, shape.stride, shape.groups, shape.outChannels,
                                                                     shape.inChannels, shape.inHeight, shape.inWidth);
        if (c.winogradInputGradient) {
          c.inputGradientW = planWinograd(shape, true);
          p->winogradFloats_ = std::max(p->winogradFloats_, winogradScratch(c.inputGradientW));
        } else {
          c.inputGradient = planConvInputGradient(shape, p->tensors_[op.a], p->tensors_[op.b]);
        }
        c.hasInputGradient = true;
        break;
      }
      case CONV_BIAS_GRADIENT: op.a = tensorId(), op.begin = r.next(); break;
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
  p->winogradMemory_.resize(p->winogradFloats_ + BLOCK);
  p->winograd_ = (float*)(((uintptr_t)p->winogradMemory_.data() + 63) / 64 * 64);
  return p;
}

void Program::prepare(const float* state, bool train) {
  for (ConvOp& c : convs_) {
    if (c.winogradForward) transformWeights(c.forwardW, state + c.weight);
    else packWeights(c.forward, state + c.weight);
    if (!train || !c.hasInputGradient) continue;
    if (c.winogradInputGradient) transformWeights(c.inputGradientW, state + c.weight);
    else packWeights(c.inputGradient, state + c.weight);
  }
}

void Program::contribute(Context context, int shards, float* node, Part part) {
  float* leaves = shards == 1 ? node : leaves_;
  const size_t last = stages_.size() - 1;
  const size_t begin = part == LAST_STAGE ? last : 0, end = part == ALL_BUT_LAST_STAGE ? last : last + 1;
  for (size_t i = begin; i < end; i++) runStage(stages_[i], context, shards, node, leaves);
  if (shards == 1) {
    const int64_t from = part == ALL_BUT_LAST_STAGE ? prefix_ : 0, to = part == LAST_STAGE ? prefix_ : INT64_MAX;
    return rounding_.apply(node + from, from, to - from);
  }
  if (part == ALL_BUT_LAST_STAGE) return;
  addTree(leaves_, shards, prefix_, prefix_, rounding_, 0);
  memcpy(node, leaves_, prefix_ * sizeof(float));
}

void Program::runStage(Stage& stage, Context& context, int shards, float* node, float* leaves) {
  if (stage.isGroup) {
    for (Op& op : stage.ops) runGroupOp(op, context, shards, node);
    return;
  }
  for (int s = 0; s < shards; s++) {
    float* contribution = leaves + (int64_t)s * prefix_;
    for (Op& op : stage.ops) runTimed(op, context, s, 1, contribution);
  }
}

// All shards of the group through one op. Small sums are taken per shard and added by the tree.
void Program::runGroupOp(Op& op, const Context& context, int shards, float* node) {
  const bool treesItself = op.record == DENSE || op.record == DENSE_WEIGHT_GRADIENT || op.record == DENSE_INPUT_GRADIENT;
  if (treesItself || shards == 1) {
    runTimed(op, context, 0, shards, node);
    return;
  }
  const int length = op.end - op.begin;
  // Zeroed, as what the op writes may have padding between its parts.
  groupLeaves_.assign(std::max(groupLeaves_.size(), (size_t)shards * length), 0.0f);
  for (int s = 0; s < shards; s++) runTimed(op, context, s, 1, groupLeaves_.data() + (int64_t)s * length - op.begin);
  if (length == 0) return;
  addTree(groupLeaves_.data(), shards, length, length, rounding_, op.begin);
  memcpy(node + op.begin, groupLeaves_.data(), length * sizeof(float));
}

void Program::startProfile() {
  profiles_ = true;
  for (Stage& stage : stages_) {
    for (Op& op : stage.ops) op.nanoseconds = 0;
  }
}

// As `algorithms` in packages/kernels/src/native.ts counts them
int Program::algorithmOf(const Op& op) const {
  enum { PASS, DIRECT, DEPTHWISE, WINOGRAD, PRODUCT };
  switch (op.record) {
    case CONV: return convs_[op.index].winogradForward ? WINOGRAD : convs_[op.index].forward.isDepthwise ? DEPTHWISE : DIRECT;
    case CONV_INPUT_GRADIENT:
      return convs_[op.index].winogradInputGradient ? WINOGRAD : convs_[op.index].inputGradient.isDepthwise ? DEPTHWISE : DIRECT;
    case CONV_WEIGHT_GRADIENT: return convs_[op.index].winogradWeightGradient ? WINOGRAD : DIRECT;
    case DENSE:
    case DENSE_WEIGHT_GRADIENT:
    case DENSE_INPUT_GRADIENT: return PRODUCT;
    default: return PASS;
  }
}

std::vector<double> Program::takeProfile() {
  profiles_ = false;
  std::vector<double> rows;
  for (const Stage& stage : stages_) {
    for (const Op& op : stage.ops) {
      rows.insert(rows.end(), {(double)op.record, (double)op.index, op.nanoseconds, (double)algorithmOf(op)});
    }
  }
  return rows;
}

void Program::runTimed(Op& op, const Context& context, int shard, int shards, float* contribution) {
  if (!profiles_) return run(op, context, shard, shards, contribution);
  const auto start = std::chrono::steady_clock::now();
  run(op, context, shard, shards, contribution);
  op.nanoseconds += std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

void Program::run(const Op& op, const Context& context, int shard, int shards, float* contribution) {
  switch (op.record) {
    case INPUT: return runInput(inputs_[op.index], context, shard);
    case DROPOUT_MASK:
      if (context.train) runDropoutMask(dropouts_[op.index], context, shard);
      return;
    case CONV: {
      const ConvOp& c = convs_[op.index];
      const float* bias = c.bias < 0 ? nullptr : context.state + c.bias;
      if (c.winogradForward) {
        return runWinograd(c.forwardW, tensors_[c.in], tensors_[c.out], bias, c.withRelu, shard, shards, blocksPerShard_, winograd_);
      }
      return runConv(c.forward, tensors_[c.in], tensors_[c.out], bias, c.withRelu, shard, shards, blocksPerShard_);
    }
    case NORM_FORWARD: return runNormForward(norms_[op.index], context, shard, contribution);
    case POST: return runPostForward(posts_[op.index], context, shard);
    case AVERAGE_POOL: return runAveragePool(averagePools_[op.index], context, shard);
    case DENSE: return runDense(denses_[op.index], context, shard, shards);
    case LOSS: return runLoss(losses_[op.index], context, shard, contribution + losses_[op.index].result);
    case DENSE_WEIGHT_GRADIENT:
      return runDenseWeightGradient(denses_[op.index], tensors_[op.a], context, shard, shards, rounding_, contribution);
    case DENSE_INPUT_GRADIENT:
      return runDenseInputGradient(denses_[op.index], tensors_[op.a], tensors_[op.b], context, shard, shards);
    case AVERAGE_POOL_BACKWARD:
      return runAveragePoolBackward(averagePools_[op.index], tensors_[op.a], tensors_[op.b], context, shard);
    case POST_BACKWARD: {
      const PostBackwardOp& b = postBackwards_[op.index];
      runPostBackward(b, context, shard, sumG_.data(), sumGy_.data());
      for (int c = 0; b.post->norm && c < b.post->y.channels; c++) {
        finishNormBackward(*b.post->norm, context, shard, c, sumG_[c], sumGy_[c], contribution);
      }
      return;
    }
    case NORM_BACKWARD: return runNormBackward(normBackwards_[op.index], context, shard, contribution);
    case APPLY: return runApply(applies_[op.index], context, shard);
    case CONV_WEIGHT_GRADIENT: {
      const ConvOp& c = convs_[op.index];
      if (c.winogradWeightGradient) {
        return runWinogradGradient(c.weightGradientW, tensors_[c.in], tensors_[op.a], shard, blocksPerShard_, contribution + c.weight, winograd_);
      }
      return runConvWeightGradient(c.weightGradient, tensors_[c.in], tensors_[op.a], shard, blocksPerShard_, contribution + c.weight);
    }
    case CONV_INPUT_GRADIENT: {
      const ConvOp& c = convs_[op.index];
      if (c.winogradInputGradient) {
        return runWinograd(c.inputGradientW, tensors_[op.a], tensors_[op.b], nullptr, false, shard, shards, blocksPerShard_, winograd_);
      }
      return runConv(c.inputGradient, tensors_[op.a], tensors_[op.b], nullptr, false, shard, shards, blocksPerShard_);
    }
    case CONV_BIAS_GRADIENT: return runConvBiasGradient(tensors_[op.a], shard, blocksPerShard_, contribution + op.begin);
    case ZERO_GRADIENT:
      memset(contribution + op.begin, 0, (op.end - op.begin) * sizeof(float));
      return;
    default: return;
  }
}

void Program::evaluate(Context context, int shards, float* results) {
  float result[2];
  for (const Stage& stage : stages_) {
    if (stage.isBackward) break;
    // a shard stage: shard by shard; a group stage: op by op, but the loss per shard
    const int outer = stage.isGroup ? 1 : shards;
    for (int s = 0; s < outer; s++) {
      for (const Op& op : stage.ops) {
        if (op.record == LOSS) {
          const int from = stage.isGroup ? 0 : s, to = stage.isGroup ? shards : s + 1;
          for (int k = from; k < to; k++) {
            runLoss(losses_[op.index], context, k, result);
            results[2 * k] = result[0], results[2 * k + 1] = result[1];
          }
        } else if (op.record == DENSE || !stage.isGroup) {
          run(op, context, s, stage.isGroup ? shards : 1, nullptr);
        } else {
          for (int k = 0; k < shards; k++) run(op, context, k, 1, nullptr);
        }
      }
    }
  }
}

}  // namespace lockstep
