// The memory of a program's activations: zeroed, on huge pages where the system has them to give.
#pragma once
#include <cstddef>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#else
#include <cstdlib>
#endif

namespace lockstep {

#if defined(__unix__) || defined(__APPLE__)

constexpr size_t SCRATCH_ALIGNMENT = 2 << 20;  // a huge page

// Room for `bytes` behind the first multiple of SCRATCH_ALIGNMENT, or null
inline void* allocateScratch(size_t bytes) {
  void* at = mmap(nullptr, bytes + SCRATCH_ALIGNMENT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return nullptr;
#ifdef MADV_HUGEPAGE
  // A scratch that is smaller than a huge page would only be longer to zero.
  if (bytes >= SCRATCH_ALIGNMENT) madvise(at, bytes + SCRATCH_ALIGNMENT, MADV_HUGEPAGE);
#endif
  return at;
}

inline void freeScratch(void* at, size_t bytes) { munmap(at, bytes + SCRATCH_ALIGNMENT); }

#else  // Windows, WebAssembly

constexpr size_t SCRATCH_ALIGNMENT = 64;

inline void* allocateScratch(size_t bytes) { return calloc(bytes + SCRATCH_ALIGNMENT, 1); }

inline void freeScratch(void* at, size_t) { free(at); }

#endif

}  // namespace lockstep
