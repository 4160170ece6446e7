// What TypeScript calls, without the words of a binding: Node-API's is binding.cc, WebAssembly's ../wasm/binding.cc.
//
// A call works on an engine's memory by offsets, in units of 16 floats. What it is given wrongly it says by a text, and has
// then written nothing; null: done.
#pragma once
#include <vector>
#include "program.h"

namespace lockstep {

template <typename T>
struct Span {
  T* data = nullptr;
  size_t length = 0;
};

using Fault = const char*;

// What a node's worker computes with: a program and the memory it reads and writes.
struct Engine {
  Program* program = nullptr;
  Span<float> arena;
  Span<uint8_t> images, labels;
  Span<int32_t> order;
};

// Parses the program of an engine whose memory is set.
Fault openEngine(Engine& engine, Span<int32_t> code);

// Fields of the call block of contribute and evaluate: Int32Array
enum Call {
  STATE, PARTIALS, PARTIAL_FLOATS, FIRST_SHARD, END_SHARD, SAMPLES, ORDER, SEED_LOW, SEED_HIGH, STEP, EPOCH, PART, PROGRESS, CALL_FIELDS
};

// Computes shards [FIRST_SHARD, END_SHARD) and leaves their partials, in order, at PARTIALS; `count` becomes how many there
// are. PART leaves the last stage of the last wave for a second call: between the two the partials' floats from `prefix` on
// are final. The uint32 at PROGRESS grows by one with each op of a shard or a wave; 0: nobody wants to know.
Fault contribute(Engine& engine, const int32_t* call, int& count);

// Contributes like `contribute` (no merging); `rows` becomes [record, index, nanoseconds, algorithm] of each op in program
// order, summed over the call's shards.
void profile(Engine& engine, const int32_t* call, std::vector<double>& rows);

// Images ORDER + [0, SAMPLES), shards [FIRST_SHARD, END_SHARD) of them.
// results: [predicted, probability] per sample, then [loss sum, correct count] per shard; logits, if any: [classes] per sample
Fault evaluate(Engine& engine, const int32_t* call, Span<float> results, Span<float> logits);

// Fields of the update block: Float64Array
enum Update {
  U_STATE, U_NEXT_STATE, U_SLOT1, U_NEXT_SLOT1, U_SLOT2, U_NEXT_SLOT2, U_SAMPLES, U_TYPE, U_NESTEROV, U_LEARNING_RATE, U_MOMENTUM,
  U_WEIGHT_DECAY, U_BETA1, U_ONE_MINUS_BETA1, U_BETA2, U_ONE_MINUS_BETA2, U_STEP_SIZE, U_RSQRT_CORRECTION, U_EPS, U_DECAY_FACTOR,
  U_GRADIENT_SCALE, U_ROUNDS, UPDATE_FIELDS
};
enum Piece { PARAMETERS = 0, STATISTICS = 1, SUMS = 2, GRADIENTS = 3 };

// The step's partials, by their offsets in the arena, in shard order, and the tree over them as a stack program
struct Tree {
  Span<int32_t> partials, steps;
};

// pieces: [kind, offset, length or channels, values per sample] of what this worker finishes. With ROUNDS, sums of
// parameters' gradients are rounded to bf16; SUMS and GRADIENTS only differ in that.
void update(Engine& engine, const double* block, const Tree& tree, Span<int32_t> pieces);

// chunks: [index, offset, length] of what this worker adds up; sums[index] = sum of squares of the mean gradient there.
Fault squares(Engine& engine, double samples, bool rounds, const Tree& tree, Span<int32_t> chunks, Span<double> sums);

// Fields of the block of average: Float64Array
enum Average { A_STATE, A_AVERAGE, A_NEXT_AVERAGE, A_DECAY, AVERAGE_FIELDS };

// The average of version t + 1 from that of version t and the state of version t + 1, on the pieces of `update`.
void average(Engine& engine, const double* block, Span<int32_t> pieces);

// GFLOP/s of independent multiply-adds on the calling thread
double fmaPeak(int32_t iterations);

}  // namespace lockstep
