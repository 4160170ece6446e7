#include "ownership.h"

#include <algorithm>

namespace lockstep {

int Places::add(Tensor& t, int64_t at, int64_t interior) {
  if (t.channels < 1 || t.height < 1 || t.width < 1 || t.rowStride < BLOCK || t.rowStride % BLOCK != 0 || at < 0 || interior < 0 ||
      interior % (t.rowStride + BLOCK) != 0) {
    return -1;
  }
  t.before = (int)(interior / (t.rowStride + BLOCK));
  t.after = (int)(t.rowStride / BLOCK - t.before - t.width);
  const int64_t rows = (int64_t)t.before + t.height + t.after, ofShard = t.blockStride * blocksPerShard_;
  if (t.after < 0 || t.blockStride > scratchFloats_ || t.channelStride < rows * t.rowStride || t.blockStride < t.channels * t.channelStride ||
      (t.shardStride != 0 && t.shardStride < ofShard) || t.shardStride > scratchFloats_) {
    return -1;
  }
  const int64_t end = at + (t.shardStride == 0 ? ofShard : t.shardStride * waveShards_);
  if (end > scratchFloats_) return -1;
  const bool isShared = t.shardStride == 0;
  for (size_t i = 0; i < places_.size(); i++) {
    if (places_[i].begin != at) continue;
    places_[i].end = std::max(places_[i].end, end);
    return places_[i].isShared == isShared ? (int)i : -1;
  }
  places_.push_back({at, end, isShared});
  return (int)places_.size() - 1;
}

bool Places::take(int64_t at, int64_t floats) {
  if (at < 0 || floats < 0 || at > scratchFloats_ || floats > scratchFloats_ - at) return false;
  if (floats > 0) places_.push_back({at, at + floats, false});
  return true;
}

std::vector<Places::Place> Places::sorted() const {
  std::vector<Place> all = places_;
  std::sort(all.begin(), all.end(), [](const Place& a, const Place& b) { return a.begin < b.begin; });
  return all;
}

bool Places::overlap() const {
  int64_t end = 0;
  for (const Place& place : sorted()) {
    if (place.begin < end) return true;
    end = place.end;
  }
  return false;
}

void Ownership::expect(bool isRight, const char* text) {
  if (!isRight && !fault_) fault_ = text;
}

void Ownership::enterStage(bool isWave, bool isBackward) {
  stage_++;
  expect(isBackward || !isBackward_, "program goes forward behind a backward stage");
  isWave_ = isWave, isBackward_ = isBackward;
}

void Ownership::checkShared(const Tensor& t) {
  if (waveShards_ == 1 || !places_.isShared(t.place)) return;
  expect(!isWave_ && holds_[t.place].stage == stage_, "program reads what other shards have overwritten");
}

void Ownership::writeValue(const Tensor& t) {
  Held& held = holds_[t.place];
  expect(!isBackward_, "program writes a value in a backward stage");
  expect(!held.isValue && !held.isGradient, "program writes a value over another");
  held = {true, false, true, false, stage_};
}

void Ownership::readValue(const Tensor& t) {
  expect(holds_[t.place].isValue, "program reads a value that is not there");
  checkShared(t);
}

void Ownership::writeGradient(const Tensor& t) {
  Held& held = holds_[t.place];
  expect(!held.isGradient || (!held.hadValue && held.isRead), "program writes a gradient over another");
  held = {false, true, held.hadValue, false, stage_};
}

void Ownership::readGradient(const Tensor& t) {
  expect(holds_[t.place].isGradient, "program reads a gradient that nobody has written");
  checkShared(t);
  holds_[t.place].isRead = true;
}

void Ownership::writeOutput(int64_t begin, int64_t end, bool again) {
  expect(begin >= 0 && begin < end, "program has an op without a range of the contribution");
  if (waveShards_ > 1) expect(isWave_ ? begin >= prefix_ : end <= prefix_, "program writes a range of the contribution in the wrong stage");
  for (const Range& known : outputs_) {
    const bool isApart = end <= known.begin || known.end <= begin, isSame = known.begin == begin && known.end == end;
    expect(isApart || (again && isSame), "program writes a range of the contribution twice");
  }
  outputs_.push_back({begin, end});
  extent_ = std::max(extent_, end);
}

}  // namespace lockstep
