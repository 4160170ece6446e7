// What a WebAssembly module of the kernels exports; wasm-kernels.ts calls it. Arguments are addresses in the memory that all
// threads of a node share; a call that was given something wrong returns its text, 0 is "done".
#include "../native/calls.h"
#include "../native/finite.h"
#include "../native/philox.h"

#define EXPORT(name) __attribute__((export_name(#name))) name

using namespace lockstep;

extern "C" {

// The word by which a memory is known; see memory.ts.
uint64_t memoryMark;
uint64_t* EXPORT(markAddress)() { return &memoryMark; }

void* EXPORT(allocate)(size_t bytes) { return malloc(bytes); }
void EXPORT(release)(void* at) { free(at); }

Engine* EXPORT(allocateEngine)(float* arena, uint8_t* images, uint8_t* labels, int32_t* order) {
  return new Engine{nullptr, {arena, 0}, {images, 0}, {labels, 0}, {order, 0}};
}
Fault EXPORT(openProgram)(Engine* engine, int32_t* code, size_t length) { return openEngine(*engine, {code, length}); }
void EXPORT(destroyEngine)(Engine* engine) {
  delete engine->program;
  delete engine;
}

// count: takes how many partials there are
Fault EXPORT(runContribute)(Engine* engine, const int32_t* call, int* count) { return contribute(*engine, call, *count); }

// rows: takes what `profile` gives, as many as it returns; null: how many that will be
size_t EXPORT(runProfile)(Engine* engine, const int32_t* call, double* rows) {
  static thread_local std::vector<double> kept;
  if (rows) memcpy(rows, kept.data(), kept.size() * sizeof(double));
  else profile(*engine, call, kept);
  return kept.size();
}

Fault EXPORT(runEvaluate)(Engine* engine, const int32_t* call, float* results, size_t resultCount, float* logits, size_t logitCount) {
  return evaluate(*engine, call, {results, resultCount}, {logits, logitCount});
}

// What of its outputs a call of runEvaluate writes depends on these.
int EXPORT(samplesOfShard)(const Engine* engine) { return engine->program->blocksPerShard() * BLOCK; }
int EXPORT(classesOf)(const Engine* engine) { return engine->program->classes(); }

void EXPORT(runUpdate)(Engine* engine, const double* block, int32_t* partials, size_t partialCount, int32_t* steps,
                       size_t stepCount, int32_t* pieces, size_t pieceCount) {
  update(*engine, block, {{partials, partialCount}, {steps, stepCount}}, {pieces, pieceCount});
}

Fault EXPORT(runSquares)(Engine* engine, double samples, int rounds, int32_t* partials, size_t partialCount, int32_t* steps,
                         size_t stepCount, int32_t* chunks, size_t chunkCount, double* sums, size_t sumCount) {
  return squares(*engine, samples, rounds != 0, {{partials, partialCount}, {steps, stepCount}}, {chunks, chunkCount}, {sums, sumCount});
}

void EXPORT(runAverages)(Engine* engine, const double* block, int32_t* pieces, size_t pieceCount) {
  average(*engine, block, {pieces, pieceCount});
}

int EXPORT(firstNotFinite)(const float* values, size_t length) { return (int)findNotFinite(values, (int64_t)length); }

double EXPORT(measurePeak)(int iterations) { return fmaPeak(iterations); }

// key: two words; counter: four; words: takes four
void EXPORT(runPhilox)(const uint32_t* key, const uint32_t* counter, uint32_t* words) {
  uint32_t lanes[4][BLOCK];
  philoxLanes({key[0], key[1]}, counter[0], counter[1], counter[2], counter[3], lanes);
  for (int word = 0; word < 4; word++) words[word] = lanes[word][0];
}

// One multiply-add of four lanes each, as the kernels make them: what the module rounds; see probe.ts.
void EXPORT(runProbe)(const float* a, const float* b, const float* c, float* out, size_t length) {
  for (size_t i = 0; i < length; i += LR) store(out + i, fma(load(a + i), load(b + i), load(c + i)));
}

}  // extern "C"
