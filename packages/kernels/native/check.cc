// What a parsed program has to be before it may run: shapes that fit each other, and the rules of ownership.h.
#include "program.h"

namespace lockstep {
namespace {

bool sameShape(const Tensor& a, const Tensor& b) { return a.channels == b.channels && a.height == b.height && a.width == b.width; }

// What a dense layer and the loss take
bool isVector(const Tensor& t) { return t.height == 1 && t.width == 1 && t.channelStride == BLOCK; }

int windows(int size, int kernel, int stride) { return (size - kernel) / stride + 1; }

bool isPooled(const Tensor& y, const Tensor& out, int kernelHeight, int kernelWidth, int stride) {
  return kernelHeight >= 1 && kernelWidth >= 1 && stride >= 1 && kernelHeight <= y.height && kernelWidth <= y.width &&
         out.channels == y.channels && out.height == windows(y.height, kernelHeight, stride) && out.width == windows(y.width, kernelWidth, stride);
}

int64_t elements(const Tensor& t) { return (int64_t)t.channels * t.height * t.width; }

bool isPost(const PostOp& post) {
  if (post.kernel == 0 ? !sameShape(post.y, post.out) : !isPooled(post.y, post.out, post.kernel, post.kernel, post.stride)) return false;
  if (post.norm && (post.norm->y.place != post.y.place || !sameShape(post.norm->y, post.y))) return false;
  return (!post.dropout1 || post.dropout1->elements == elements(post.y)) && (!post.dropout2 || post.dropout2->elements == elements(post.out));
}

// Whether the gradient of y may be written over y while the windows are read
bool worksInPlace(const PostOp& post) { return !post.norm && post.kernel == post.stride; }

// Whether runNormBackward does it
bool isFused(const PostOp& post) { return post.norm && (post.kernel == 0 || (post.kernel == 2 && post.stride == 2 && !post.dropout1)); }

// Far more than a model gives; keeps offsets of pixels within 32 bits
constexpr int MOST_STRIDE = 1 << 16;

int overhang(int outputs, int inputs, int before) { return (outputs + 3) / 4 * 4 + 2 - before - inputs; }

bool hasBorder(const Tensor& t, int before, int afterRows, int afterColumns) {
  return t.before >= before && t.after >= afterRows && t.after >= afterColumns;
}

}  // namespace

bool fitsConv(const ConvShape& s, const Tensor& in) {
  if (s.kernel < 1 || s.stride < 1 || s.stride > MOST_STRIDE || s.padding < 0 || s.groups < 1 || s.inChannels % s.groups != 0 || s.outChannels % s.groups != 0) return false;
  if (in.before < s.padding || s.kernel > in.height + 2 * s.padding || s.kernel > in.width + 2 * s.padding) return false;
  if (s.outHeight != windows(s.inHeight + 2 * s.padding, s.kernel, s.stride)) return false;
  if (s.outWidth != windows(s.inWidth + 2 * s.padding, s.kernel, s.stride)) return false;
  auto reach = [&](int outs, int ins) { return (outs - 1) * s.stride + s.kernel - s.padding - ins; };
  if (!hasBorder(in, s.padding, reach(s.outHeight, s.inHeight), reach(s.outWidth, s.inWidth))) return false;
  const bool tiles = usesWinogradGradient(s) || usesWinograd(s.kernel, s.stride, s.groups, s.inChannels, s.outChannels, s.outHeight, s.outWidth);
  return !tiles || hasBorder(in, s.padding, overhang(s.outHeight, s.inHeight, s.padding), overhang(s.outWidth, s.inWidth, s.padding));
}

bool fitsConvGradient(const ConvShape& s, const Tensor& dOut) {
  if (dOut.channels != s.outChannels || dOut.height != s.outHeight || dOut.width != s.outWidth) return false;
  auto missing = [](int outs) { return (outs + 3) / 4 * 4 - outs; };
  return !usesWinogradGradient(s) || hasBorder(dOut, 0, missing(s.outHeight), missing(s.outWidth));
}

bool fitsConvInputGradient(const ConvShape& s, const Tensor& dOut, const Tensor& dIn, bool isWinograd) {
  if (dOut.channels != s.outChannels || dOut.height != s.outHeight || dOut.width != s.outWidth) return false;
  if (dIn.channels != s.inChannels || dIn.height != s.inHeight || dIn.width != s.inWidth) return false;
  if (isWinograd) return hasBorder(dOut, 2 - s.padding, overhang(s.inHeight, s.outHeight, 2 - s.padding), overhang(s.inWidth, s.outWidth, 2 - s.padding));
  const int before = (s.kernel - 1 - s.padding + s.stride - 1) / s.stride;
  auto reach = [&](int ins, int outs) { return (ins - 1 + s.padding) / s.stride - (outs - 1); };
  return hasBorder(dOut, before, reach(s.inHeight, s.outHeight), reach(s.inWidth, s.outWidth));
}

const char* Program::findFault() {
  if (places_.overlap()) return "program has tensors that overlap";
  Ownership own(places_, waveShards_, prefix_);
  Prepared prepared{std::vector<NormStep>(norms_.size()), std::vector<bool>(dropouts_.size())};
  for (const Stage& stage : stages_) {
    own.enterStage(stage.isWave, stage.isBackward);
    for (const Op& op : stage.ops) {
      followOp(op, own);
      followPrepared(op, prepared, own);
      if (own.fault()) return own.fault();
    }
  }
  extent_ = own.extent();
  return own.fault();
}

void Program::followOp(const Op& op, Ownership& own) const {
  constexpr const char* SHAPES = "program has an op whose tensors do not fit each other";
  auto takes = [&](bool isRight) { own.expect(isRight, SHAPES); };
  switch (op.record) {
    case INPUT: return own.writeValue(inputs_[op.index].out);
    case CONV: {
      const ConvOp& c = convs_[op.index];
      own.readValue(tensors_[c.in]);
      return own.writeValue(tensors_[c.out]);
    }
    case POST: {
      const PostOp& post = posts_[op.index];
      takes(isPost(post));
      own.readValue(post.y);
      return own.writeValue(post.out);
    }
    case AVERAGE_POOL: {
      const AveragePoolOp& pool = averagePools_[op.index];
      takes(isPooled(pool.in, pool.out, pool.kernelHeight, pool.kernelWidth, pool.stride));
      own.readValue(pool.in);
      return own.writeValue(pool.out);
    }
    case DENSE: {
      const DenseOp& d = denses_[op.index];
      takes(isVector(d.in) && isVector(d.out));
      own.readValue(d.in);
      return own.writeValue(d.out);
    }
    case LOSS: {
      const Tensor& logits = losses_[op.index].logits;
      takes(isVector(logits));
      own.readValue(logits);
      own.writeGradient(logits);
      return own.writeOutput(op.begin, op.end);
    }
    case NORM_FORWARD: {
      const NormOp& norm = norms_[op.index];
      own.readValue(norm.y);
      if (!norm.isFrozen) own.writeOutput(op.begin, op.end);
      return;
    }
    case DENSE_WEIGHT_GRADIENT: {
      const DenseOp& d = denses_[op.index];
      takes(sameShape(tensors_[op.a], d.out) && isVector(tensors_[op.a]));
      own.readValue(d.in);
      own.readGradient(tensors_[op.a]);
      own.writeOutput(op.begin, op.end);
      if (d.bias >= 0) own.writeOutput(d.bias, (int64_t)d.bias + d.out.channels);
      return;
    }
    case DENSE_INPUT_GRADIENT: {
      const DenseOp& d = denses_[op.index];
      takes(sameShape(tensors_[op.a], d.out) && isVector(tensors_[op.a]) && sameShape(tensors_[op.b], d.in) && isVector(tensors_[op.b]));
      own.readGradient(tensors_[op.a]);
      return own.writeGradient(tensors_[op.b]);
    }
    case AVERAGE_POOL_BACKWARD: {
      const AveragePoolOp& pool = averagePools_[op.index];
      takes(sameShape(tensors_[op.a], pool.out) && sameShape(tensors_[op.b], pool.in));
      own.readGradient(tensors_[op.a]);
      return own.writeGradient(tensors_[op.b]);
    }
    case POST_BACKWARD: {
      const PostBackwardOp& b = postBackwards_[op.index];
      const bool isInPlace = b.g.place == b.post->y.place;
      takes(isPost(*b.post) && sameShape(b.dOut, b.post->out) && sameShape(b.g, b.post->y) && (!isInPlace || worksInPlace(*b.post)));
      takes(!b.post->norm || b.post->y.channels <= (int)sumG_.size());
      own.readGradient(b.dOut);
      own.readValue(b.post->y);
      own.writeGradient(b.g);
      if (b.post->norm && !b.post->norm->isFrozen) own.writeOutput(op.begin, op.end);
      return;
    }
    case NORM_BACKWARD: {
      const NormBackwardOp& b = normBackwards_[op.index];
      takes(isPost(*b.post) && isFused(*b.post) && sameShape(b.dOut, b.post->out));
      own.readGradient(b.dOut);
      own.readValue(b.post->y);
      own.writeGradient(b.post->y);
      if (!b.post->norm->isFrozen) own.writeOutput(op.begin, op.end);
      return;
    }
    case APPLY: {
      const ApplyOp& a = applies_[op.index];
      takes(sameShape(a.y, a.g) && (!a.norm || sameShape(a.norm->y, a.y)));
      own.readValue(a.y);
      own.readGradient(a.g);
      return own.writeGradient(a.y);
    }
    case CONV_WEIGHT_GRADIENT: {
      const ConvOp& c = convs_[op.index];
      takes(fitsConvGradient(c.shape, tensors_[op.a]));
      own.readValue(tensors_[c.in]);
      own.readGradient(tensors_[op.a]);
      return own.writeOutput(op.begin, op.end);
    }
    case CONV_INPUT_GRADIENT: {
      own.readGradient(tensors_[op.a]);
      return own.writeGradient(tensors_[op.b]);
    }
    case CONV_BIAS_GRADIENT: {
      own.readGradient(tensors_[op.a]);
      return own.writeOutput(op.begin, op.end);
    }
    // What a dense layer's bias gets from its own op, where a norm makes it 0, is written again.
    case ZERO_GRADIENT: return own.writeOutput(op.begin, op.end, true);
    default: return;
  }
}

// A norm's coefficients, and a dropout's mask, are made before they are used.
void Program::followPrepared(const Op& op, Prepared& prepared, Ownership& own) const {
  auto expect = [&](bool isMade) { own.expect(isMade, "program uses a norm or a dropout that is not worked out yet"); };
  auto expectNorm = [&](const NormOp* norm, NormStep step) { expect(!norm || prepared.norms[norm - norms_.data()] == step); };
  switch (op.record) {
    case DROPOUT_MASK:
      prepared.masks[op.index] = true;
      return;
    case NORM_FORWARD:
      expectNorm(&norms_[op.index], NOTHING_YET);
      prepared.norms[op.index] = WENT_FORWARD;
      return;
    case POST: {
      const PostOp& post = posts_[op.index];
      expectNorm(post.norm, WENT_FORWARD);
      for (const DropoutOp* dropout : {post.dropout1, post.dropout2}) expect(!dropout || prepared.masks[dropout - dropouts_.data()]);
      return;
    }
    case POST_BACKWARD:
    case NORM_BACKWARD: {
      const NormOp* norm = op.record == POST_BACKWARD ? postBackwards_[op.index].post->norm : normBackwards_[op.index].post->norm;
      expectNorm(norm, WENT_FORWARD);
      if (norm) prepared.norms[norm - norms_.data()] = WENT_BACK;
      return;
    }
    case APPLY: return expectNorm(applies_[op.index].norm, WENT_BACK);
    default: return;
  }
}

}  // namespace lockstep
