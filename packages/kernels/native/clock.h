// Time, for profiles alone: nothing that is computed may depend on it.
#pragma once

#if defined(__wasm__)

namespace lockstep {
// Nanoseconds from any origin, as the engine's owner counts them
extern "C" __attribute__((import_module("lockstep"), import_name("nanoseconds"))) double nanoseconds();
}  // namespace lockstep

#else

#include <chrono>

namespace lockstep {
// Nanoseconds from any origin
inline double nanoseconds() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
}  // namespace lockstep

#endif
