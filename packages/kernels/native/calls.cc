#include "calls.h"

#include "average.h"
#include "clock.h"
#include "update.h"

namespace lockstep {
namespace {

Context contextOf(const Engine& engine, const int32_t* call, bool train) {
  Context c{};
  c.train = train;
  c.state = engine.arena.data + (int64_t)call[STATE] * BLOCK;
  c.blocksPerShard = engine.program->blocksPerShard();
  c.samples = call[SAMPLES];
  c.seedLow = call[SEED_LOW], c.seedHigh = call[SEED_HIGH], c.step = call[STEP], c.epoch = call[EPOCH];
  if (call[PROGRESS] != 0) c.progress = (uint32_t*)(engine.arena.data + (int64_t)call[PROGRESS] * BLOCK);
  c.images = engine.images.data, c.labels = engine.labels.data;
  return c;
}

// The partials of a range of shards while they are made, each in a place of its own.
struct PartialStack {
  float* partials;
  int64_t partialFloats;
  const Rounding& rounding;
  int depth = 0;
  int sizes[64];

  float* next() const { return partials + depth * partialFloats; }

  // Takes the partial that was written to `next`, which ends before shard `end`. Two neighbours of one size whose parent
  // starts at the lower one make that parent, here on the partials' floats [from, to).
  void push(int size, int end, int64_t from, int64_t to) {
    sizes[depth++] = size;
    while (depth > 1 && sizes[depth - 1] == sizes[depth - 2] && (end - 2 * sizes[depth - 1]) % (2 * sizes[depth - 1]) == 0) {
      float* lower = partials + (depth - 2) * partialFloats + from;
      addInto(lower, partials + (depth - 1) * partialFloats + from, to - from);
      rounding.apply(lower, from, to - from);
      depth--;
      sizes[depth - 1] *= 2;
    }
  }
};

// Kept by each thread, so that a step allocates nothing
const Fold& foldOf(const Engine& engine, const Tree& tree) {
  static thread_local Fold fold;
  fold.partials.clear();
  for (size_t i = 0; i < tree.partials.length; i++) fold.partials.push_back(engine.arena.data + (int64_t)tree.partials.data[i] * BLOCK);
  fold.steps.assign(tree.steps.data, tree.steps.data + tree.steps.length);
  return fold;
}

}  // namespace

Fault openEngine(Engine& engine, Span<int32_t> code) {
  if ((uintptr_t)engine.arena.data % 64 != 0) return "the arena is not aligned to 64 bytes";
  Fault fault = nullptr;
  engine.program = Program::parse(code.data, code.length, &fault);
  return fault;
}

Fault contribute(Engine& engine, const int32_t* call, int& count) {
  Program& program = *engine.program;
  const Part part = (Part)call[PART];
  Context context = contextOf(engine, call, true);
  context.order = engine.order.data + call[ORDER];
  const int64_t partialFloats = (int64_t)call[PARTIAL_FLOATS] * BLOCK;
  if (partialFloats < program.extent()) return "contribute: partials are shorter than what the program writes";
  if (part != LAST_STAGE) program.prepare(context.state, true);
  PartialStack stack{engine.arena.data + (int64_t)call[PARTIALS] * BLOCK, partialFloats, program.rounding()};
  const int end = call[END_SHARD];
  for (int shard = call[FIRST_SHARD]; shard < end;) {
    int size = program.waveShards();
    while (shard % size != 0 || shard + size > end) size /= 2;
    context.firstShard = shard;
    shard += size;
    const bool isLast = shard == end;
    if (isLast || part != LAST_STAGE) program.contribute(context, size, stack.next(), isLast ? part : WHOLE);
    // what the other call has added, or will
    const int64_t from = isLast && part == ALL_BUT_LAST_STAGE ? program.prefix() : 0;
    const int64_t to = part != LAST_STAGE ? partialFloats : isLast ? program.prefix() : 0;
    stack.push(size, shard, from, to);
  }
  count = stack.depth;
  return nullptr;
}

void profile(Engine& engine, const int32_t* call, std::vector<double>& rows) {
  Context context = contextOf(engine, call, true);
  context.order = engine.order.data + call[ORDER];
  Program& program = *engine.program;
  program.startProfile();
  program.prepare(context.state, true);
  float* partial = engine.arena.data + (int64_t)call[PARTIALS] * BLOCK;
  for (int shard = call[FIRST_SHARD]; shard < call[END_SHARD]; shard += program.waveShards()) {
    context.firstShard = shard;
    program.contribute(context, program.waveShards(), partial);
  }
  rows = program.takeProfile();
}

Fault evaluate(Engine& engine, const int32_t* call, Span<float> results, Span<float> logits) {
  Program& program = *engine.program;
  Context context = contextOf(engine, call, false);
  context.firstImage = call[ORDER];
  context.results = results.data;
  const int samples = call[SAMPLES], shardSamples = context.blocksPerShard * BLOCK;
  const int64_t shards = (samples + shardSamples - 1) / shardSamples;
  if ((int64_t)results.length < 2 * (samples + shards)) return "evaluate: results are too short";
  if (logits.data && (int64_t)logits.length < (int64_t)samples * program.classes()) {
    return "evaluate: the logits do not have room for every sample";
  }
  context.logits = logits.data;
  program.prepare(context.state, false);
  const int end = call[END_SHARD];
  for (int shard = call[FIRST_SHARD]; shard < end; shard += program.waveShards()) {
    context.firstShard = shard;
    const int count = end - shard < program.waveShards() ? end - shard : program.waveShards();
    program.evaluate(context, count, results.data + 2 * ((int64_t)samples + shard));
  }
  return nullptr;
}

void update(Engine& engine, const double* u, const Tree& tree, Span<int32_t> pieces) {
  auto at = [&](Update field) { return engine.arena.data + (int64_t)u[field] * BLOCK; };
  const OptimizerScalars scalars{(int32_t)u[U_TYPE], (int32_t)u[U_NESTEROV], (float)u[U_LEARNING_RATE], (float)u[U_MOMENTUM],
                                 (float)u[U_WEIGHT_DECAY], (float)u[U_BETA1], (float)u[U_ONE_MINUS_BETA1], (float)u[U_BETA2],
                                 (float)u[U_ONE_MINUS_BETA2], (float)u[U_STEP_SIZE], (float)u[U_RSQRT_CORRECTION], (float)u[U_EPS],
                                 (float)u[U_DECAY_FACTOR], (float)u[U_GRADIENT_SCALE]};
  const Fold& fold = foldOf(engine, tree);
  constexpr int64_t AT_ONCE = 4096;
  // On the stack: Windows aligns a thread_local to 16 bytes, whatever it is told.
  alignas(64) float sums[AT_ONCE];
  for (size_t i = 0; i + 3 < pieces.length; i += 4) {
    const int64_t offset = pieces.data[i + 1], length = pieces.data[i + 2];
    if (pieces.data[i] == STATISTICS) {
      const int64_t padded = (3 * length + BLOCK - 1) / BLOCK * BLOCK;
      std::vector<float> all(padded + BLOCK);
      float* aligned = (float*)(((uintptr_t)all.data() + 63) / 64 * 64);
      runFold(fold, offset, padded, false, aligned);
      runRunningStatistics(aligned, u[U_SAMPLES] * pieces.data[i + 3], (int)length, at(U_STATE) + offset, at(U_NEXT_STATE) + offset);
      continue;
    }
    for (int64_t k = offset; k < offset + length; k += AT_ONCE) {
      const int64_t here = offset + length - k < AT_ONCE ? offset + length - k : AT_ONCE;
      runFold(fold, k, here, u[U_ROUNDS] != 0 && pieces.data[i] != SUMS, sums);
      if (pieces.data[i] != PARAMETERS) {
        memcpy(at(U_NEXT_STATE) + k, sums, here * sizeof(float));
      } else {
        runOptimizer(scalars, sums, (float)u[U_SAMPLES], here, at(U_STATE) + k, at(U_SLOT1) + k, at(U_SLOT2) + k, at(U_NEXT_STATE) + k,
                     at(U_NEXT_SLOT1) + k, at(U_NEXT_SLOT2) + k);
      }
    }
  }
}

Fault squares(Engine& engine, double samples, bool rounds, const Tree& tree, Span<int32_t> chunks, Span<double> sums) {
  const Fold& fold = foldOf(engine, tree);
  alignas(64) float gradient[SQUARES_CHUNK];
  for (size_t i = 0; i + 2 < chunks.length; i += 3) {
    const int32_t index = chunks.data[i], length = chunks.data[i + 2];
    if (index < 0 || index >= (int64_t)sums.length || length > SQUARES_CHUNK) return "squares: a chunk is out of range";
    runFold(fold, chunks.data[i + 1], (length + BLOCK - 1) / BLOCK * BLOCK, rounds, gradient);
    sums.data[index] = sumSquares(gradient, (float)samples, length);
  }
  return nullptr;
}

void average(Engine& engine, const double* block, Span<int32_t> pieces) {
  auto at = [&](Average field) { return engine.arena.data + (int64_t)block[field] * BLOCK; };
  const float decay = (float)block[A_DECAY], rest = (float)(1 - block[A_DECAY]);
  for (size_t i = 0; i + 3 < pieces.length; i += 4) {
    const int64_t offset = pieces.data[i + 1], length = pieces.data[i + 2];
    if (pieces.data[i] == SUMS) continue;
    const int64_t floats = pieces.data[i] == STATISTICS ? 2 * length : length;
    runAverage(decay, rest, at(A_STATE) + offset, at(A_AVERAGE) + offset, at(A_NEXT_AVERAGE) + offset, floats);
  }
}

double fmaPeak(int32_t iterations) {
  constexpr int CHAINS = REGISTERS >= 32 ? 20 : 12;
  R acc[CHAINS];
  R x = splat(1.0000001f);
  const R y = splat(1e-7f);
  UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = splat((float)i);
  const double start = nanoseconds();
  for (int32_t n = 0; n < iterations; n++) {
    asm volatile("" : "+r"(n));  // or the loop is folded away
    UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = fma(acc[i], x, y);
  }
  const double took = nanoseconds() - start;
  alignas(64) float sink[LR];
  R total = acc[0];
  for (int i = 1; i < CHAINS; i++) total = add(total, acc[i]);
  store(sink, total);
  volatile float used = sink[0];
  (void)used;
  return 2.0 * LR * CHAINS * iterations / took;
}

}  // namespace lockstep
