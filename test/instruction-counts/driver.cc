// Runs one training step of the kernels' addon without Node, so that valgrind has nothing else to run.
//
//   driver ADDON STEP    STEP: a file of arrays as export-step.mjs writes it
//
// It brings just enough of Node-API for the addon to be loaded and called: values are boxes of a number or an array.
// callgrind counts inside `measuredStep` alone (--toggle-collect).
#include <dlfcn.h>
#include <node_api.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

struct napi_value__ {
  napi_typedarray_type type = napi_uint8_array;
  size_t length = 0;
  void* data = nullptr;
  double number = 0;
};

struct napi_callback_info__ {
  std::vector<napi_value> arguments;
};

namespace {

std::map<std::string, napi_callback> functions;

[[noreturn]] void fail(const char* what, const char* detail) {
  fprintf(stderr, "driver: %s: %s\n", what, detail);
  exit(1);
}

// Never freed: the process runs one step.
napi_value makeValue() { return new napi_value__(); }

napi_status giveNumber(double number, napi_value* result) {
  *result = makeValue();
  (*result)->number = number;
  return napi_ok;
}

template <typename T>
napi_status takeNumber(napi_value value, T* result) {
  *result = (T)value->number;
  return napi_ok;
}

size_t elementSize(napi_typedarray_type type) {
  return type == napi_float64_array ? 8 : type == napi_uint8_array ? 1 : 4;
}

void* allocateZeroed(size_t bytes) {
  void* at = mmap(nullptr, bytes + 64, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) fail("out of memory", "an array of the step");
  return at;
}

// [type, length, length that follows; the rest is zeros] as three uint64, then the elements
napi_value readArray(FILE* file) {
  uint64_t header[3];
  if (fread(header, sizeof header, 1, file) != 1) fail("the step file ends early", "header of an array");
  napi_value value = makeValue();
  value->type = (napi_typedarray_type)header[0];
  value->length = header[1];
  const size_t size = elementSize(value->type);
  value->data = allocateZeroed(value->length * size);
  if (fread(value->data, size, header[2], file) != header[2]) fail("the step file ends early", "elements of an array");
  return value;
}

napi_value call(const char* name, const std::vector<napi_value>& arguments) {
  napi_callback_info__ info{arguments};
  return functions.at(name)(nullptr, &info);
}

}  // namespace

extern "C" {

__attribute__((noinline)) void measuredStep(const std::vector<napi_value>& contribute, const std::vector<napi_value>& update) {
  call("contribute", contribute);
  call("update", update);
  asm volatile("");  // keeps the second call from becoming a jump out of this function
}

napi_status napi_get_cb_info(napi_env, napi_callback_info info, size_t* count, napi_value* values, napi_value*, void**) {
  for (size_t i = 0; i < *count && i < info->arguments.size(); i++) values[i] = info->arguments[i];
  *count = info->arguments.size();
  return napi_ok;
}

napi_status napi_get_typedarray_info(napi_env, napi_value value, napi_typedarray_type* type, size_t* length, void** data, napi_value*,
                                     size_t*) {
  *type = value->type, *length = value->length, *data = value->data;
  return napi_ok;
}

napi_status napi_create_external(napi_env, void* data, napi_finalize, void*, napi_value* result) {
  *result = makeValue();
  (*result)->data = data;
  return napi_ok;
}

napi_status napi_get_value_external(napi_env, napi_value value, void** result) {
  *result = value->data;
  return napi_ok;
}

napi_status napi_define_properties(napi_env, napi_value, size_t count, const napi_property_descriptor* properties) {
  for (size_t i = 0; i < count; i++) functions[properties[i].utf8name] = properties[i].method;
  return napi_ok;
}

napi_status napi_throw_error(napi_env, const char* code, const char* text) { fail(code, text); }
napi_status napi_throw_type_error(napi_env, const char* code, const char* text) { fail(code, text); }

napi_status napi_get_value_int32(napi_env, napi_value value, int32_t* result) { return takeNumber(value, result); }
napi_status napi_get_value_uint32(napi_env, napi_value value, uint32_t* result) { return takeNumber(value, result); }
napi_status napi_get_value_double(napi_env, napi_value value, double* result) { return takeNumber(value, result); }
napi_status napi_get_value_bool(napi_env, napi_value value, bool* result) { return takeNumber(value, result); }
napi_status napi_get_boolean(napi_env, bool value, napi_value* result) { return giveNumber(value, result); }
napi_status napi_create_int32(napi_env, int32_t number, napi_value* result) { return giveNumber(number, result); }
napi_status napi_create_uint32(napi_env, uint32_t number, napi_value* result) { return giveNumber(number, result); }
napi_status napi_create_double(napi_env, double number, napi_value* result) { return giveNumber(number, result); }

// What a step makes or keeps no use of.
napi_status napi_create_reference(napi_env, napi_value, uint32_t, napi_ref*) { return napi_ok; }
napi_status napi_delete_reference(napi_env, napi_ref) { return napi_ok; }
napi_status napi_create_string_utf8(napi_env, const char*, size_t, napi_value* result) { return giveNumber(0, result); }
napi_status napi_set_named_property(napi_env, napi_value, const char*, napi_value) { return napi_ok; }
napi_status napi_create_array_with_length(napi_env, size_t, napi_value* result) { return giveNumber(0, result); }
napi_status napi_set_element(napi_env, napi_value, uint32_t, napi_value) { return napi_ok; }
napi_status napi_create_arraybuffer(napi_env, size_t bytes, void** data, napi_value* result) {
  *data = allocateZeroed(bytes);
  return giveNumber(0, result);
}
napi_status napi_create_typedarray(napi_env, napi_typedarray_type, size_t, napi_value, size_t, napi_value* result) {
  return giveNumber(0, result);
}

}  // extern "C"

int main(int argc, char** argv) {
  if (argc != 3) fail("usage", "driver ADDON STEP");
  void* addon = dlopen(argv[1], RTLD_NOW);
  if (!addon) fail("the addon does not load (a new Node-API function? add it here)", dlerror());
  const auto init = (napi_value(*)(napi_env, napi_value))dlsym(addon, "napi_register_module_v1");
  if (!init) fail("the addon has no entry", dlerror());
  init(nullptr, makeValue());

  FILE* file = fopen(argv[2], "rb");
  if (!file) fail("cannot read", argv[2]);
  std::vector<napi_value> engineArguments, contributeArguments, updateArguments;
  for (int i = 0; i < 5; i++) engineArguments.push_back(readArray(file));
  const napi_value engine = call("createEngine", engineArguments);
  contributeArguments = {engine, readArray(file)};
  updateArguments = {engine};
  for (int i = 0; i < 4; i++) updateArguments.push_back(readArray(file));
  fclose(file);
  measuredStep(contributeArguments, updateArguments);

  // The loss of the step: a step that computed nothing would be cheap.
  const napi_value arena = engineArguments[1];
  const double* block = (const double*)updateArguments[1]->data;
  const int32_t* pieces = (const int32_t*)updateArguments[4]->data;
  const int64_t nextState = (int64_t)block[1] * 16;
  const int64_t result = pieces[updateArguments[4]->length - 3];
  printf("loss %.6f\n", ((const float*)arena->data)[nextState + result]);
  return 0;
}
