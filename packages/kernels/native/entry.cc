// What is called when an addon is loaded. Of all the sources only this one is compiled for every processor of its platform
// (tools/setup/kernels.mjs): it asks this processor whether the rest may be called, and the addon exports the answer, `runs`.
#include "binding.h"
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace {

#if defined(__x86_64__)

// Asked of the processor itself: __builtin_cpu_supports needs a symbol of libgcc that not every compiler links into an
// addon. Bits: Intel SDM vol. 2A, CPUID leaves 1 and 7, and XCR0.
bool canRun() {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
  const bool fma = c >> 12 & 1, savesState = c >> 27 & 1;
  if (!fma || !savesState || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  const bool avx2 = (low & 0x06) == 0x06 && (b >> 5 & 1);
#if defined(LOCKSTEP_ISA_AVX512)
  return avx2 && (low & 0xe6) == 0xe6 && (b >> 16 & 1) && (b >> 17 & 1) && (b >> 30 & 1) && (b >> 31 & 1);  // F, DQ, BW, VL
#else
  return avx2;
#endif
}

#else

// Every arm64 processor has NEON.
bool canRun() { return true; }

#endif

}  // namespace

NAPI_MODULE_INIT() {
  const bool isRunning = canRun();
  napi_value runs;
  if (napi_get_boolean(env, isRunning, &runs) != napi_ok || napi_set_named_property(env, exports, "runs", runs) != napi_ok) {
    napi_throw_error(env, "LOCKSTEP_NATIVE", "Node-API does not take whether the kernels can run");
    return nullptr;
  }
  return isRunning ? lockstep::exportCalls(env, exports) : exports;
}
