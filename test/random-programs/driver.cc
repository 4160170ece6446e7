// Runs random programs on the kernels without Node: under sanitizers, or on another processor's build.
//
//   driver run CASES        cases as cases.mjs writes them: a program, its inputs, the contribution of each wave of shards
//   driver refuse PROGRAMS  programs alone, none of which may be accepted
//
// Other bits, or a malformed program that is accepted, end it with exit code 1.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "../../packages/kernels/native/program.h"

namespace {

using lockstep::BLOCK;

[[noreturn]] void fail(int index, const char* what) {
  fprintf(stderr, "driver: case %d: %s\n", index, what);
  exit(1);
}

// [length as uint32, then the elements]; the memory is the array's alone and aligned to 64 bytes, so that a sanitizer sees
// what is read or written beside it
template <typename T>
struct Array {
  T* data = nullptr;
  uint32_t length = 0;

  Array(FILE* file, int index) {
    if (fread(&length, sizeof length, 1, file) != 1) fail(index, "the file ends early");
    data = (T*)::operator new(length * sizeof(T), std::align_val_t(64));
    if (fread(data, sizeof(T), length, file) != length) fail(index, "the file ends early");
  }
  ~Array() { ::operator delete(data, std::align_val_t(64)); }
};

// The parser meets programs of which one word is another; whether it takes them is not asked, only that it reads no
// further than it may. The header's sizes are left alone, as memory is asked for whatever they are.
void parseChanged(const Array<int32_t>& code, int index) {
  constexpr uint32_t HEADER = 6, CHANGES = 20;
  uint32_t draw = (uint32_t)index;
  auto next = [&] { return (draw = draw * 1664525u + 1013904223u) >> 8; };
  std::vector<int32_t> words(code.data, code.data + code.length);
  for (uint32_t i = 0; i < CHANGES; i++) {
    const size_t at = HEADER + next() % (code.length - HEADER);
    const int32_t before = words[at];
    words[at] = next() % 2 ? (int32_t)(next() % 48) - 2 : (int32_t)(next() << 8);
    const char* error = nullptr;
    delete lockstep::Program::parse(words.data(), words.size(), &error);
    words[at] = before;
  }
}

void refuseCase(FILE* file, int index) {
  const Array<int32_t> code(file, index);
  const char* error = nullptr;
  if (lockstep::Program::parse(code.data, code.length, &error)) fail(index, "a malformed program is accepted");
}

void runCase(FILE* file, int index) {
  const Array<int32_t> code(file, index);
  parseChanged(code, index);
  const Array<float> state(file, index);
  const Array<uint8_t> images(file, index), labels(file, index);
  const Array<int32_t> order(file, index), call(file, index);  // call: samples, shards, low half of the seed
  const Array<float> expected(file, index);
  const char* error = nullptr;
  lockstep::Program* program = lockstep::Program::parse(code.data, code.length, &error);
  if (!program) fail(index, error);
  lockstep::Context context{};
  context.train = true;
  context.state = state.data;
  context.blocksPerShard = program->blocksPerShard();
  context.samples = call.data[0];
  context.seedLow = (uint32_t)call.data[2];
  context.images = images.data, context.labels = labels.data, context.order = order.data;
  program->prepare(state.data, true);
  std::vector<float> memory((size_t)state.length + BLOCK);
  float* partial = (float*)(((uintptr_t)memory.data() + 63) / 64 * 64);
  const float* wanted = expected.data;
  for (int shard = 0; shard < call.data[1]; wanted += state.length) {
    int size = program->waveShards();
    while (shard % size != 0 || shard + size > call.data[1]) size /= 2;
    context.firstShard = shard;
    memset(partial, 0, state.length * sizeof(float));
    program->contribute(context, size, partial);
    if (memcmp(partial, wanted, state.length * sizeof(float)) != 0) fail(index, "other bits");
    shard += size;
  }
  delete program;
}

}  // namespace

int main(int argc, char** argv) {
  FILE* file = argc == 3 ? fopen(argv[2], "rb") : nullptr;
  if (!file) fail(-1, "usage: driver run|refuse FILE");
  const auto take = strcmp(argv[1], "refuse") == 0 ? refuseCase : runCase;
  int index = 0;
  for (int next; (next = fgetc(file)) != EOF; index++) {
    ungetc(next, file);
    take(file, index);
  }
  fclose(file);
  printf("%d programs\n", index);
  return 0;
}
