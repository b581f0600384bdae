#include "allocation_meter.h"

#include <malloc.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VECFRAME_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VECFRAME_SANITIZED 1
#endif

namespace {

std::atomic<std::int64_t> held{0};
std::atomic<std::int64_t> most{0};

}  // namespace

#ifndef VECFRAME_SANITIZED

namespace {

// A block that begins at a huge page has, as far as malloc knows, all that is left of its mapping:
// up to 2 MiB more than was asked for, by where the system put it, and never touched. So these
// count as what was asked for, as long as there are no more of them than places here.
constexpr std::size_t kPage = 4096;
struct AlignedBlock {
  std::atomic<void*> pointer{nullptr};
  std::atomic<std::int64_t> size{0};
};
std::array<AlignedBlock, 64> aligned_blocks;

AlignedBlock* find_aligned(void* pointer) {
  if (reinterpret_cast<std::uintptr_t>(pointer) % kPage != 0) return nullptr;
  for (AlignedBlock& block : aligned_blocks)
    if (block.pointer.load() == pointer) return &block;
  return nullptr;
}

void remember_aligned(void* pointer, std::size_t alignment, std::size_t size) {
  if (pointer == nullptr || alignment <= kPage) return;
  for (AlignedBlock& block : aligned_blocks) {
    void* none = nullptr;
    if (!block.pointer.compare_exchange_strong(none, pointer)) continue;
    block.size = static_cast<std::int64_t>(size);
    return;
  }
}

std::int64_t size_of(void* pointer) {
  if (const AlignedBlock* block = find_aligned(pointer)) return block->size;
  return static_cast<std::int64_t>(malloc_usable_size(pointer));
}

void* count(void* pointer) {
  if (pointer == nullptr) return nullptr;
  const std::int64_t size = size_of(pointer);
  const std::int64_t now = held.fetch_add(size, std::memory_order_relaxed) + size;
  std::int64_t before = most.load(std::memory_order_relaxed);
  while (now > before && !most.compare_exchange_weak(before, now, std::memory_order_relaxed)) {
  }
  return pointer;
}

void uncount(void* pointer) {
  if (pointer == nullptr) return;
  held.fetch_sub(size_of(pointer), std::memory_order_relaxed);
  if (AlignedBlock* block = find_aligned(pointer)) block->pointer = nullptr;
}

void* allocate_aligned(std::size_t alignment, std::size_t size);

}  // namespace

// glibc's own names for what these replace, in the program and in every library it loads.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

__attribute__((visibility("default"))) void* malloc(std::size_t size) {
  return count(__libc_malloc(size));
}
__attribute__((visibility("default"))) void* calloc(std::size_t number, std::size_t size) {
  return count(__libc_calloc(number, size));
}
__attribute__((visibility("default"))) void* realloc(void* pointer, std::size_t size) {
  uncount(pointer);
  void* moved = __libc_realloc(pointer, size);
  if (moved == nullptr && size != 0) {
    count(pointer);  // still there
    return nullptr;
  }
  return count(moved);
}
__attribute__((visibility("default"))) void* memalign(std::size_t alignment, std::size_t size) {
  return allocate_aligned(alignment, size);
}
__attribute__((visibility("default"))) void* aligned_alloc(std::size_t alignment,
                                                           std::size_t size) {
  return allocate_aligned(alignment, size);
}
__attribute__((visibility("default"))) int posix_memalign(void** out, std::size_t alignment,
                                                          std::size_t size) {
  *out = allocate_aligned(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}
__attribute__((visibility("default"))) void free(void* pointer) {
  uncount(pointer);
  __libc_free(pointer);
}
}

namespace {

void* allocate_aligned(std::size_t alignment, std::size_t size) {
  void* pointer = __libc_memalign(alignment, size);
  remember_aligned(pointer, alignment, size);
  return count(pointer);
}

}  // namespace

#endif

namespace vecframe::image {

bool can_meter_allocations() {
#ifdef VECFRAME_SANITIZED
  return false;
#else
  return true;
#endif
}

AllocationMeter::AllocationMeter() : start_(held.load()) { most.store(start_); }
std::int64_t AllocationMeter::peak() const { return most.load() - start_; }

}  // namespace vecframe::image
