// Memory of one thread, without a lock: the threads of a node share one WebAssembly memory, and a thread that is taken away
// while it held a lock of an allocator would stop all others.
//
// Growing a memory is the one thing that many may do at once, and gives each pages of its own. Small blocks are cut from
// such pages by powers of two, large ones are pages; what is freed goes back to its thread. All of it goes with the memory.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

extern "C" {
// Throws in the engine's owner: so many bytes are not to be had.
__attribute__((import_module("lockstep"), import_name("fail"), noreturn)) void failToGrow(size_t bytes);
}

namespace {

constexpr size_t PAGE = 1 << 16;      // of WebAssembly
constexpr size_t LARGE = 1 << 15;     // from here on a block has pages of its own
constexpr size_t HEADER = 64;         // blocks are aligned to cache lines, for the kernels' sake
constexpr int CLASSES = 16;           // of small blocks: 2^0 to 2^15

struct Block {
  size_t bytes;  // with its header
  Block* next;   // while it is free
};

struct Heap {
  Block* small[CLASSES] = {};
  Block* large = nullptr;
  char* at = nullptr;
  char* end = nullptr;
};

thread_local Heap heap;

char* grow(size_t bytes) {
  const size_t pages = bytes / PAGE + (bytes % PAGE != 0);
  const size_t first = bytes > SIZE_MAX - PAGE ? SIZE_MAX : __builtin_wasm_memory_grow(0, pages);
  if (first == SIZE_MAX) failToGrow(bytes);
  return (char*)(first * PAGE);
}

// The first free block that is large enough, and wastes no more than a quarter
Block* takeLarge(size_t bytes) {
  for (Block** link = &heap.large; *link; link = &(*link)->next) {
    Block* block = *link;
    if (block->bytes < bytes || block->bytes - bytes > bytes / 4 + PAGE) continue;
    *link = block->next;
    return block;
  }
  return nullptr;
}

int classOf(size_t bytes) { return bytes <= 1 ? 0 : 32 - __builtin_clz((unsigned)bytes - 1); }

// Pages are zero when they are new: `isNew` says whether these bytes have never been used.
Block* take(size_t bytes, bool& isNew) {
  bytes += HEADER;
  isNew = false;
  if (bytes >= LARGE) {
    if (Block* known = takeLarge(bytes)) return known;
    isNew = true;
    Block* block = (Block*)grow(bytes);
    block->bytes = (bytes + PAGE - 1) / PAGE * PAGE;
    return block;
  }
  const int k = classOf(bytes);
  if (Block* known = heap.small[k]) {
    heap.small[k] = known->next;
    return known;
  }
  const size_t whole = (size_t)1 << k;
  if ((size_t)(heap.end - heap.at) < whole) heap.at = grow(PAGE), heap.end = heap.at + PAGE;
  Block* block = (Block*)heap.at;
  heap.at += whole;
  block->bytes = whole;
  isNew = true;
  return block;
}

void giveBack(void* pointer) {
  if (!pointer) return;
  Block* block = (Block*)((char*)pointer - HEADER);
  Block*& list = block->bytes >= LARGE ? heap.large : heap.small[classOf(block->bytes)];
  block->next = list;
  list = block;
}

}  // namespace

// In place of the C library's, which has one heap for all threads and no lock
extern "C" {

void* malloc(size_t bytes) {
  bool isNew;
  if (bytes > SIZE_MAX - HEADER) failToGrow(bytes);
  return (char*)take(bytes, isNew) + HEADER;
}

void free(void* pointer) { giveBack(pointer); }

void* calloc(size_t count, size_t size) {
  size_t bytes;
  bool isNew;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - HEADER) failToGrow(SIZE_MAX);
  char* at = (char*)take(bytes, isNew) + HEADER;
  if (!isNew) memset(at, 0, bytes);
  return at;
}

// What a thread keeps goes with the memory: nothing is told that the thread ends.
int __cxa_thread_atexit(void (*)(void*), void*, void*) { return 0; }

}  // extern "C"

void* operator new(size_t bytes) { return malloc(bytes); }
void* operator new[](size_t bytes) { return malloc(bytes); }
void operator delete(void* pointer) noexcept { free(pointer); }
void operator delete[](void* pointer) noexcept { free(pointer); }
void operator delete(void* pointer, size_t) noexcept { free(pointer); }
void operator delete[](void* pointer, size_t) noexcept { free(pointer); }
