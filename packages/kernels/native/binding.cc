// The Node-API surface: a program, and calls that work on Float32Arrays (over SharedArrayBuffers) by offset.
// Context-aware: every worker thread has its own instance and its own programs.
#include "binding.h"

#include "calls.h"
#include "finite.h"
#include "philox.h"

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

// An engine and what keeps its memory alive
struct HeldEngine : Engine {
  napi_ref references[4];
};

void destroyEngine(napi_env env, void* data, void*) {
  HeldEngine* engine = (HeldEngine*)data;
  for (napi_ref reference : engine->references) napi_delete_reference(env, reference);
  delete engine->program;
  delete engine;
}

// createEngine(program: Int32Array, arena: Float32Array, images: Uint8Array, labels: Uint8Array, order: Int32Array)
napi_value createEngine(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  Span<int32_t> code;
  HeldEngine* engine = new HeldEngine();
  if (a.count < 5 || !spanOf(env, a.values[0], code) || !spanOf(env, a.values[1], engine->arena) ||
      !spanOf(env, a.values[2], engine->images) || !spanOf(env, a.values[3], engine->labels) ||
      !spanOf(env, a.values[4], engine->order)) {
    delete engine;
    return fail(env, "createEngine expects (Int32Array, Float32Array, Uint8Array, Uint8Array, Int32Array)");
  }
  if (Fault fault = openEngine(*engine, code)) {
    delete engine;
    return fail(env, fault);
  }
  for (int i = 0; i < 4; i++) CHECK(napi_create_reference(env, a.values[i + 1], 1, &engine->references[i]));
  napi_value external;
  CHECK(napi_create_external(env, engine, destroyEngine, nullptr, &external));
  return external;
}

bool engineOf(napi_env env, napi_value value, HeldEngine*& engine) { return napi_get_value_external(env, value, (void**)&engine) == napi_ok; }

// contribute(engine, call): how many partials there are
napi_value contribute(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  HeldEngine* engine;
  Span<int32_t> call;
  if (a.count < 2 || !engineOf(env, a.values[0], engine) || !spanOf(env, a.values[1], call) || call.length < CALL_FIELDS) {
    return fail(env, "contribute expects (engine, Int32Array of 13)");
  }
  int partials;
  if (Fault fault = lockstep::contribute(*engine, call.data, partials)) return fail(env, fault);
  napi_value count;
  CHECK(napi_create_int32(env, partials, &count));
  return count;
}

// profile(engine, call)
napi_value profile(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  HeldEngine* engine;
  Span<int32_t> call;
  if (a.count < 2 || !engineOf(env, a.values[0], engine) || !spanOf(env, a.values[1], call) || call.length < CALL_FIELDS) {
    return fail(env, "profile expects (engine, Int32Array of 13)");
  }
  std::vector<double> rows;
  lockstep::profile(*engine, call.data, rows);
  napi_value buffer, array;
  void* data;
  CHECK(napi_create_arraybuffer(env, rows.size() * sizeof(double), &data, &buffer));
  memcpy(data, rows.data(), rows.size() * sizeof(double));
  CHECK(napi_create_typedarray(env, napi_float64_array, rows.size(), buffer, 0, &array));
  return array;
}

// evaluate(engine, call, results, logits?)
napi_value evaluate(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  HeldEngine* engine;
  Span<int32_t> call;
  Span<float> results, logits;
  if (a.count < 3 || !engineOf(env, a.values[0], engine) || !spanOf(env, a.values[1], call) || call.length < CALL_FIELDS ||
      !spanOf(env, a.values[2], results)) {
    return fail(env, "evaluate expects (engine, Int32Array of 13, Float32Array)");
  }
  if (a.count > 3 && !spanOf(env, a.values[3], logits)) return fail(env, "evaluate: logits are not a Float32Array");
  if (a.count > 3 && logits.length == 0) return fail(env, "evaluate: the logits do not have room for every sample");
  if (Fault fault = lockstep::evaluate(*engine, call.data, results, logits)) return fail(env, fault);
  return nullptr;
}

// update(engine, block: Float64Array, partials: Int32Array, fold: Int32Array, pieces: Int32Array)
napi_value update(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  HeldEngine* engine;
  Span<double> block;
  Tree tree;
  Span<int32_t> pieces;
  if (a.count < 5 || !engineOf(env, a.values[0], engine) || !spanOf(env, a.values[1], block) || block.length < UPDATE_FIELDS ||
      !spanOf(env, a.values[2], tree.partials) || !spanOf(env, a.values[3], tree.steps) || !spanOf(env, a.values[4], pieces)) {
    return fail(env, "update expects (engine, Float64Array of 22, Int32Array, Int32Array, Int32Array)");
  }
  lockstep::update(*engine, block.data, tree, pieces);
  return nullptr;
}

// squares(engine, samples, rounds, partials: Int32Array, fold: Int32Array, chunks: Int32Array, sums: Float64Array)
napi_value squares(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  HeldEngine* engine;
  double samples;
  bool rounds;
  Tree tree;
  Span<int32_t> chunks;
  Span<double> sums;
  if (a.count < 7 || !engineOf(env, a.values[0], engine) || napi_get_value_double(env, a.values[1], &samples) != napi_ok ||
      napi_get_value_bool(env, a.values[2], &rounds) != napi_ok || !spanOf(env, a.values[3], tree.partials) ||
      !spanOf(env, a.values[4], tree.steps) || !spanOf(env, a.values[5], chunks) || !spanOf(env, a.values[6], sums)) {
    return fail(env, "squares expects (engine, number, boolean, Int32Array, Int32Array, Int32Array, Float64Array)");
  }
  if (Fault fault = lockstep::squares(*engine, samples, rounds, tree, chunks, sums)) return fail(env, fault);
  return nullptr;
}

// average(engine, block: Float64Array, pieces: Int32Array)
napi_value average(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  HeldEngine* engine;
  Span<double> block;
  Span<int32_t> pieces;
  if (a.count < 3 || !engineOf(env, a.values[0], engine) || !spanOf(env, a.values[1], block) || block.length < AVERAGE_FIELDS ||
      !spanOf(env, a.values[2], pieces)) {
    return fail(env, "average expects (engine, Float64Array of 4, Int32Array)");
  }
  lockstep::average(*engine, block.data, pieces);
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

// fmaPeak(iterations)
napi_value fmaPeak(napi_env env, napi_callback_info info) {
  Arguments a;
  CHECK(napi_get_cb_info(env, info, &a.count, a.values, nullptr, nullptr));
  int32_t iterations = 0;
  if (a.count < 1 || napi_get_value_int32(env, a.values[0], &iterations) != napi_ok) return fail(env, "fmaPeak expects (iterations)");
  napi_value result;
  CHECK(napi_create_double(env, lockstep::fmaPeak(iterations), &result));
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

}  // namespace

napi_value exportCalls(napi_env env, napi_value exports) {
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
  };
  CHECK(napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties));
  napi_value name;
  CHECK(napi_create_string_utf8(env, LOCKSTEP_ISA_NAME, NAPI_AUTO_LENGTH, &name));
  CHECK(napi_set_named_property(env, exports, "isa", name));
  return exports;
}

}  // namespace lockstep
