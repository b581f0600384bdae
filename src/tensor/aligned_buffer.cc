#include "tensor/aligned_buffer.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace vecframe::tensor {
namespace {

// Of x86-64 and of arm64 with small pages. Elsewhere the advice is refused, which costs nothing.
constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

void* allocate_aligned(std::size_t bytes) {
  const bool large = bytes >= kHugePage;
  const std::size_t alignment = large ? kHugePage : kAlignment;
  // Not std::aligned_alloc, whose size must be a multiple of the alignment: what is asked for is
  // what callers count, to a cache line.
  void* data = nullptr;
  if (posix_memalign(&data, alignment, (bytes + kAlignment - 1) / kAlignment * kAlignment) != 0)
    throw std::bad_alloc();
#if defined(__linux__)
  // Weights are written once and read from front to back: fewer faults, fewer lookups. Only whole
  // pages, so that no more memory is held than was asked for.
  if (large) madvise(data, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return data;
}

}  // namespace vecframe::tensor
