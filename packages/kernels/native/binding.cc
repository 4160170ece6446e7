// The Node-API surface: a program, and calls that work on Float32Arrays (over SharedArrayBuffers) by offset.
// Context-aware: every worker thread has its own instance and its own programs.
#include <node_api.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <chrono>
#include <string>

#include "average.h"
#include "finite.h"
#include "philox.h"
#include "program.h"
#include "update.h"

namespace lockstep {
namespace {

#define CHECK(call)                                                    \
  if ((call) != napi_ok) {                                             \
    napi_throw_error(env, "LOCKSTEP_NATIVE", "Node-API call failed: " #call); \
    return nullptr;                                                    \
  }

constexpr size_t MAX_ARGUMENTS = 8;

struct Arguments {
  napi_value values[MAX_ARGUMENTS];
  size_t count = MAX_ARGUMENTS;
};

template <typename T>
struct Span {
  T* data = nullptr;
  size_t length = 0;
};

template <typename T> constexpr napi_typedarray_type ARRAY_TYPE = napi_float32_array;
template <> constexpr napi_typedarray_type ARRAY_TYPE<double> = napi_float64_array;
template <> constexpr napi_typedarray_type ARRAY_TYPE<int32_t> = napi_int32_array;
template <> constexpr napi_typedarray_type ARRAY_TYPE<uint8_t> = napi_uint8_array;

template <typename T>
bool spanOf(napi_env env, napi_value value, Span<T>& span) {
  napi_typedarray_type type;
  void* data;
  napi_value buffer;
  size_t offset;
  if (napi_get_typedarray_info(env, value, &type, &span.length, &data, &buffer, &offset) != napi_ok) return false;
  span.data = (T*)data;
  return type == ARRAY_TYPE<T>;
}

napi_value fail(napi_env env, const char* text) {
  napi_throw_type_error(env, "LOCKSTEP_NATIVE", text);
  return nullptr;
}

// What a node's worker computes with: a program and the memory it reads and writes.
struct Engine {
  Program* program;
  Span<float> arena;
  Span<uint8_t> images, labels;
  Span<int32_t> order;
  napi_ref references[4];
};

void destroyEngine(napi_env env, void* data, void*) {
  Engine* engine = (Engine*)data;
  for (napi_ref reference : engine->references) napi_delete_reference(env, reference);
  delete engine->program;
  delete engine;
}

// createEngine(program: Int32Array, arena: Float32Array, images: Uint8Array, labels: Uint8Array, order: Int32Array)
napi_value createEngine(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  Span<int32_t> code;
  Engine* engine = new Engine();
  if (a.count < 5 || !spanOf(env, a.values[0], code) || !spanOf(env, a.values[1], engine->arena) ||
      !spanOf(env, a.values[2], engine->images) || !spanOf(env, a.values[3], engine->labels) ||
      !spanOf(env, a.values[4], engine->order)) {
    delete engine;
    return fail(env, "createEngine expects (Int32Array, Float32Array, Uint8Array, Uint8Array, Int32Array)");
  }
  const char* error = nullptr;
  engine->program = Program::parse(code.data, code.length, &error);
  if (!engine->program || (uintptr_t)engine->arena.data % 64 != 0) {
    if (engine->program) error = "the arena is not aligned to 64 bytes", delete engine->program;
    delete engine;
    return fail(env, error);
  }
  for (int i = 0; i < 4; i++) CHECK(napi_create_reference(env, a.values[i + 1], 1, &engine->references[i]));
  napi_value external;
  CHECK(napi_create_external(env, engine, destroyEngine, nullptr, &external));
  return external;
}

bool engineOf(napi_env env, napi_value value, Engine*& engine) { return napi_get_value_external(env, value, (void**)&engine) == napi_ok; }

// Fields of the call block of contribute and evaluate: Int32Array
enum Call { STATE, PARTIALS, PARTIAL_FLOATS, FIRST_SHARD, END_SHARD, SAMPLES, ORDER, SEED_LOW, SEED_HIGH, STEP, EPOCH, PART, CALL_FIELDS };

Context contextOf(const Engine& engine, const int32_t* call, bool train) {
  Context c{};
  c.train = train;
  c.state = engine.arena.data + (int64_t)call[STATE] * BLOCK;
  c.blocksPerShard = engine.program->blocksPerShard();
  c.samples = call[SAMPLES];
  c.seedLow = call[SEED_LOW], c.seedHigh = call[SEED_HIGH], c.step = call[STEP], c.epoch = call[EPOCH];
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

// contribute(engine, call): computes shards [FIRST_SHARD, END_SHARD) and leaves their partials, in order, at PARTIALS
// (in units of 16 floats); returns how many there are. PART leaves the last stage of the last wave for a second call:
// between the two the partials' floats from `prefix` on are final.
napi_value contribute(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  Engine* engine;
  Span<int32_t> call;
  if (a.count < 2 || !engineOf(env, a.values[0], engine) || !spanOf(env, a.values[1], call) || call.length < CALL_FIELDS) {
    return fail(env, "contribute expects (engine, Int32Array of 12)");
  }
  Program& program = *engine->program;
  const Part part = (Part)call.data[PART];
  Context context = contextOf(*engine, call.data, true);
  context.order = engine->order.data + call.data[ORDER];
  const int64_t partialFloats = (int64_t)call.data[PARTIAL_FLOATS] * BLOCK;
  if (partialFloats < program.extent()) return fail(env, "contribute: partials are shorter than what the program writes");
  if (part != LAST_STAGE) program.prepare(context.state, true);
  PartialStack stack{engine->arena.data + (int64_t)call.data[PARTIALS] * BLOCK, partialFloats, program.rounding()};
  const int end = call.data[END_SHARD];
  for (int shard = call.data[FIRST_SHARD]; shard < end;) {
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
  napi_value count;
  CHECK(napi_create_int32(env, stack.depth, &count));
  return count;
}

// profile(engine, call): contributes like `contribute` (no merging), and returns [record, index, nanoseconds] of each op
// in program order, summed over the call's shards
napi_value profile(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  Engine* engine;
  Span<int32_t> call;
  if (a.count < 2 || !engineOf(env, a.values[0], engine) || !spanOf(env, a.values[1], call) || call.length < CALL_FIELDS) {
    return fail(env, "profile expects (engine, Int32Array of 12)");
  }
  Context context = contextOf(*engine, call.data, true);
  context.order = engine->order.data + call.data[ORDER];
  Program& program = *engine->program;
  program.startProfile();
  program.prepare(context.state, true);
  float* partial = engine->arena.data + (int64_t)call.data[PARTIALS] * BLOCK;
  for (int shard = call.data[FIRST_SHARD]; shard < call.data[END_SHARD]; shard += program.waveShards()) {
    context.firstShard = shard;
    program.contribute(context, program.waveShards(), partial);
  }
  const std::vector<double> rows = program.takeProfile();
  napi_value buffer, array;
  void* data;
  CHECK(napi_create_arraybuffer(env, rows.size() * sizeof(double), &data, &buffer));
  memcpy(data, rows.data(), rows.size() * sizeof(double));
  CHECK(napi_create_typedarray(env, napi_float64_array, rows.size(), buffer, 0, &array));
  return array;
}

// evaluate(engine, call, results): images ORDER + [0, SAMPLES), shards [FIRST_SHARD, END_SHARD) of them;
// results: [predicted, probability] per sample, then [loss sum, correct count] per shard;
// a fourth argument, if given, takes the logits: [classes] per sample
napi_value evaluate(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  Engine* engine;
  Span<int32_t> call;
  Span<float> results;
  if (a.count < 3 || !engineOf(env, a.values[0], engine) || !spanOf(env, a.values[1], call) || call.length < CALL_FIELDS ||
      !spanOf(env, a.values[2], results)) {
    return fail(env, "evaluate expects (engine, Int32Array of 12, Float32Array)");
  }
  Span<float> logits{};
  if (a.count > 3 && !spanOf(env, a.values[3], logits)) return fail(env, "evaluate: logits are not a Float32Array");
  Context context = contextOf(*engine, call.data, false);
  context.firstImage = call.data[ORDER];
  context.results = results.data;
  const int samples = call.data[SAMPLES], shardSamples = context.blocksPerShard * BLOCK;
  const int64_t shards = (samples + shardSamples - 1) / shardSamples;
  if ((int64_t)results.length < 2 * (samples + shards)) return fail(env, "evaluate: results are too short");
  if (a.count > 3 && (int64_t)logits.length < (int64_t)samples * engine->program->classes()) {
    return fail(env, "evaluate: the logits do not have room for every sample");
  }
  context.logits = logits.data;
  engine->program->prepare(context.state, false);
  const int end = call.data[END_SHARD];
  for (int shard = call.data[FIRST_SHARD]; shard < end; shard += engine->program->waveShards()) {
    context.firstShard = shard;
    const int count = end - shard < engine->program->waveShards() ? end - shard : engine->program->waveShards();
    engine->program->evaluate(context, count, results.data + 2 * ((int64_t)samples + shard));
  }
  return nullptr;
}

// Fields of the update block: Float64Array
enum Update {
  U_STATE, U_NEXT_STATE, U_SLOT1, U_NEXT_SLOT1, U_SLOT2, U_NEXT_SLOT2, U_SAMPLES, U_TYPE, U_NESTEROV, U_LEARNING_RATE, U_MOMENTUM,
  U_WEIGHT_DECAY, U_BETA1, U_ONE_MINUS_BETA1, U_BETA2, U_ONE_MINUS_BETA2, U_STEP_SIZE, U_RSQRT_CORRECTION, U_EPS, U_DECAY_FACTOR,
  U_GRADIENT_SCALE, U_ROUNDS, UPDATE_FIELDS
};
enum Piece { PARAMETERS = 0, STATISTICS = 1, SUMS = 2, GRADIENTS = 3 };

// update(engine, block: Float64Array, partials: Int32Array, fold: Int32Array, pieces: Int32Array)
// partials: offsets / 16 of the step's partials in the arena, in shard order; fold: the tree as a stack program;
// pieces: [kind, offset, length or channels, values per sample] of what this worker finishes. With ROUNDS, sums of
// parameters' gradients are rounded to bf16; SUMS and GRADIENTS only differ in that.
napi_value update(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  Engine* engine;
  Span<double> block;
  Span<int32_t> partials, steps, pieces;
  if (a.count < 5 || !engineOf(env, a.values[0], engine) || !spanOf(env, a.values[1], block) || block.length < UPDATE_FIELDS ||
      !spanOf(env, a.values[2], partials) || !spanOf(env, a.values[3], steps) || !spanOf(env, a.values[4], pieces)) {
    return fail(env, "update expects (engine, Float64Array of 22, Int32Array, Int32Array, Int32Array)");
  }
  float* arena = engine->arena.data;
  auto at = [&](Update field) { return arena + (int64_t)block.data[field] * BLOCK; };
  const double* u = block.data;
  const OptimizerScalars scalars{(int32_t)u[U_TYPE], (int32_t)u[U_NESTEROV], (float)u[U_LEARNING_RATE], (float)u[U_MOMENTUM],
                                 (float)u[U_WEIGHT_DECAY], (float)u[U_BETA1], (float)u[U_ONE_MINUS_BETA1], (float)u[U_BETA2],
                                 (float)u[U_ONE_MINUS_BETA2], (float)u[U_STEP_SIZE], (float)u[U_RSQRT_CORRECTION], (float)u[U_EPS],
                                 (float)u[U_DECAY_FACTOR], (float)u[U_GRADIENT_SCALE]};
  static thread_local Fold fold;
  fold.partials.clear();
  for (size_t i = 0; i < partials.length; i++) fold.partials.push_back(arena + (int64_t)partials.data[i] * BLOCK);
  fold.steps.assign(steps.data, steps.data + steps.length);
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
  return nullptr;
}

// squares(engine, samples, rounds, partials: Int32Array, fold: Int32Array, chunks: Int32Array, sums: Float64Array)
// chunks: [index, offset, length] of what this worker adds up; sums[index] = sum of squares of the mean gradient there.
napi_value squares(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  Engine* engine;
  double samples;
  bool rounds;
  Span<int32_t> partials, steps, chunks;
  Span<double> sums;
  if (a.count < 7 || !engineOf(env, a.values[0], engine) || napi_get_value_double(env, a.values[1], &samples) != napi_ok ||
      napi_get_value_bool(env, a.values[2], &rounds) != napi_ok || !spanOf(env, a.values[3], partials) ||
      !spanOf(env, a.values[4], steps) || !spanOf(env, a.values[5], chunks) || !spanOf(env, a.values[6], sums)) {
    return fail(env, "squares expects (engine, number, boolean, Int32Array, Int32Array, Int32Array, Float64Array)");
  }
  static thread_local Fold fold;
  fold.partials.clear();
  for (size_t i = 0; i < partials.length; i++) fold.partials.push_back(engine->arena.data + (int64_t)partials.data[i] * BLOCK);
  fold.steps.assign(steps.data, steps.data + steps.length);
  alignas(64) float gradient[SQUARES_CHUNK];
  for (size_t i = 0; i + 2 < chunks.length; i += 3) {
    const int32_t index = chunks.data[i], length = chunks.data[i + 2];
    if (index < 0 || index >= (int64_t)sums.length || length > SQUARES_CHUNK) return fail(env, "squares: a chunk is out of range");
    runFold(fold, chunks.data[i + 1], (length + BLOCK - 1) / BLOCK * BLOCK, rounds, gradient);
    sums.data[index] = sumSquares(gradient, (float)samples, length);
  }
  return nullptr;
}

// Fields of the block of average: Float64Array
enum Average { A_STATE, A_AVERAGE, A_NEXT_AVERAGE, A_DECAY, AVERAGE_FIELDS };

// average(engine, block: Float64Array, pieces: Int32Array)
// The average of version t + 1 from that of version t and the state of version t + 1, on the pieces of `update`.
napi_value average(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  Engine* engine;
  Span<double> block;
  Span<int32_t> pieces;
  if (a.count < 3 || !engineOf(env, a.values[0], engine) || !spanOf(env, a.values[1], block) || block.length < AVERAGE_FIELDS ||
      !spanOf(env, a.values[2], pieces)) {
    return fail(env, "average expects (engine, Float64Array of 4, Int32Array)");
  }
  auto at = [&](Average field) { return engine->arena.data + (int64_t)block.data[field] * BLOCK; };
  const float decay = (float)block.data[A_DECAY], rest = (float)(1 - block.data[A_DECAY]);
  for (size_t i = 0; i + 3 < pieces.length; i += 4) {
    const int64_t offset = pieces.data[i + 1], length = pieces.data[i + 2];
    if (pieces.data[i] == SUMS) continue;
    const int64_t floats = pieces.data[i] == STATISTICS ? 2 * length : length;
    runAverage(decay, rest, at(A_STATE) + offset, at(A_AVERAGE) + offset, at(A_NEXT_AVERAGE) + offset, floats);
  }
  return nullptr;
}

// findNotFinite(values: Float32Array): index of the first that is not a finite number, or -1
napi_value findNotFinite(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  Span<float> values;
  if (a.count < 1 || !spanOf(env, a.values[0], values)) return fail(env, "findNotFinite expects (Float32Array)");
  napi_value index;
  CHECK(napi_create_double(env, (double)lockstep::findNotFinite(values.data, (int64_t)values.length), &index));
  return index;
}

// alignment(bytes: Uint8Array): how many to skip so that the rest starts at a multiple of 64
napi_value alignment(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  Span<uint8_t> bytes;
  if (a.count < 1 || !spanOf(env, a.values[0], bytes)) return fail(env, "alignment expects (Uint8Array)");
  napi_value skip;
  CHECK(napi_create_int32(env, (int32_t)((64 - (uintptr_t)bytes.data % 64) % 64), &skip));
  return skip;
}

// fmaPeak(iterations): GFLOP/s of independent multiply-adds on the calling thread
napi_value fmaPeak(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  int32_t iterations = 0;
  if (a.count < 1 || napi_get_value_int32(env, a.values[0], &iterations) != napi_ok) return fail(env, "fmaPeak expects (iterations)");
  constexpr int CHAINS = REGISTERS >= 32 ? 20 : 12;
  R acc[CHAINS];
  R x = splat(1.0000001f);
  const R y = splat(1e-7f);
  UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = splat((float)i);
  const auto start = std::chrono::steady_clock::now();
  for (int32_t n = 0; n < iterations; n++) {
    asm volatile("" : "+r"(n));  // or the loop is folded away
    UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = fma(acc[i], x, y);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  alignas(64) float sink[LR];
  R total = acc[0];
  for (int i = 1; i < CHAINS; i++) total = add(total, acc[i]);
  store(sink, total);
  volatile float used = sink[0];
  (void)used;
  napi_value result;
  CHECK(napi_create_double(env, 2.0 * LR * CHAINS * iterations / seconds * 1e-9, &result));
  return result;
}

// philox(key low, key high, index, lane, stream, purpose): four words, for the test against packages/core
napi_value philox(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  uint32_t v[6] = {}, words[4][BLOCK];
  for (size_t i = 0; i < 6; i++) CHECK(napi_get_value_uint32(env, a.values[i], &v[i]));
  philoxLanes({v[0], v[1]}, v[2], v[3], v[4], v[5], words);
  napi_value array;
  CHECK(napi_create_array_with_length(env, 4, &array));
  for (uint32_t i = 0; i < 4; i++) {
    napi_value word;
    CHECK(napi_create_uint32(env, words[i][0], &word));
    CHECK(napi_set_element(env, array, i, word));
  }
  return array;
}

#if defined(__x86_64__)

// What processor and system can run, asked of the processor itself: __builtin_cpu_supports needs a symbol of libgcc that
// not every compiler links into an addon. Bits: Intel SDM vol. 2A, CPUID leaves 1 and 7, and XCR0.
struct Processor {
  bool avx2 = false, avx512 = false;

  Processor() {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return;
    const bool fma = c >> 12 & 1, savesState = c >> 27 & 1;
    if (!savesState || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
    uint32_t low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    const bool savesYmm = (low & 0x06) == 0x06, savesZmm = (low & 0xe6) == 0xe6;
    avx2 = fma && savesYmm && (b >> 5 & 1);
    avx512 = avx2 && savesZmm && (b >> 16 & 1) && (b >> 17 & 1) && (b >> 30 & 1) && (b >> 31 & 1);  // F, DQ, BW, VL
  }
};

#endif

// features(): the builds that this processor can run
napi_value features(napi_env env, napi_callback_info) {
  const char* names[4];
  uint32_t count = 0;
#if defined(__x86_64__)
  const Processor processor;
  if (processor.avx512) names[count++] = "avx512";
  if (processor.avx2) names[count++] = "avx2";
#elif defined(__aarch64__)
  names[count++] = "neon";
#endif
  names[count++] = "portable";
  napi_value array;
  CHECK(napi_create_array_with_length(env, count, &array));
  for (uint32_t i = 0; i < count; i++) {
    napi_value name;
    CHECK(napi_create_string_utf8(env, names[i], NAPI_AUTO_LENGTH, &name));
    CHECK(napi_set_element(env, array, i, name));
  }
  return array;
}

napi_value init(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      {"createEngine", nullptr, createEngine, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"contribute", nullptr, contribute, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"profile", nullptr, profile, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"evaluate", nullptr, evaluate, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"update", nullptr, update, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"squares", nullptr, squares, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"average", nullptr, average, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"findNotFinite", nullptr, findNotFinite, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"alignment", nullptr, alignment, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"fmaPeak", nullptr, fmaPeak, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"philox", nullptr, philox, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"features", nullptr, features, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  CHECK(napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties));
  napi_value name;
  CHECK(napi_create_string_utf8(env, LOCKSTEP_ISA_NAME, NAPI_AUTO_LENGTH, &name));
  CHECK(napi_set_named_property(env, exports, "isa", name));
  return exports;
}

}  // namespace
}  // namespace lockstep

NAPI_MODULE_INIT() { return lockstep::init(env, exports); }
