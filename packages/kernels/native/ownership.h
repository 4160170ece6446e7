// Who owns what: the rules that a program keeps beside its encoding, so that no op reads what nobody has written or
// writes what is another's. packages/kernels/src/ownership.ts holds the compiler to the same rules.
//
// - Places: every piece of the scratch belongs to one declaration. Tensors that begin at one place are views of it.
// - Values: a place is given one value, before it is read, in a forward stage.
// - Gradients: after it a place holds one gradient, which exactly one op writes before it is read. Only a place that
//   never holds a value is passed on from gradient to gradient, each of them read before the next is written.
// - Shards: what all shards of a wave share is read in the shard stage that wrote it. In a wave stage, and from stage to
//   stage, each shard has its own.
// - Outputs: an op that writes floats of the contribution has a range of its own. Shard stages write below `prefix`, wave
//   stages from there on.
#pragma once
#include <vector>
#include "tensor.h"

namespace lockstep {

// The pieces of the scratch, in floats.
class Places {
 public:
  Places(int64_t scratchFloats, int waveShards, int blocksPerShard)
      : scratchFloats_(scratchFloats), waveShards_(waveShards), blocksPerShard_(blocksPerShard) {}

  // The id of a tensor's place, whose border is filled in; -1 if the tensor does not fit in the scratch or its own strides.
  int add(Tensor& tensor, int64_t at, int64_t interior);
  // A piece that is no tensor's; false if it does not fit in the scratch.
  bool take(int64_t at, int64_t floats);
  int count() const { return (int)places_.size(); }
  // Whether all shards of a wave share a place.
  bool isShared(int place) const { return places_[place].isShared; }
  bool overlap() const;
  // What lies between the pieces, for a build with AddressSanitizer to guard
  template <typename Take>
  void eachGap(Take take) const {
    int64_t end = 0;
    for (const Place& place : sorted()) {
      if (place.begin > end) take(end, place.begin - end);
      end = place.end;
    }
    if (scratchFloats_ > end) take(end, scratchFloats_ - end);
  }

 private:
  struct Place {
    int64_t begin, end;
    bool isShared;
  };
  std::vector<Place> sorted() const;

  int64_t scratchFloats_;
  int waveShards_, blocksPerShard_;
  std::vector<Place> places_;
};

// Follows what the places hold through the ops of a program. Keeps the first fault that it meets.
class Ownership {
 public:
  Ownership(const Places& places, int waveShards, int prefix)
      : places_(places), waveShards_(waveShards), prefix_(prefix), holds_(places.count()) {}

  void enterStage(bool isWave, bool isBackward);
  void writeValue(const Tensor& tensor);
  void readValue(const Tensor& tensor);
  void writeGradient(const Tensor& tensor);
  void readGradient(const Tensor& tensor);
  // Floats [begin, end) of the contribution. `again`: may also be a range that another op has written.
  void writeOutput(int64_t begin, int64_t end, bool again = false);
  void expect(bool isRight, const char* text);
  const char* fault() const { return fault_; }
  // Where the last range of the contribution ends
  int64_t extent() const { return extent_; }

 private:
  struct Held {
    bool isValue = false, isGradient = false, hadValue = false, isRead = false;
    int stage = -1;
  };
  struct Range {
    int64_t begin, end;
  };
  void checkShared(const Tensor& tensor);

  const Places& places_;
  int waveShards_, prefix_;
  std::vector<Held> holds_;
  std::vector<Range> outputs_;
  int64_t extent_ = 0;
  int stage_ = -1;
  bool isWave_ = false, isBackward_ = false;
  const char* fault_ = nullptr;
};

}  // namespace lockstep
