#include "base/large_blocks.h"

#include <malloc.h>

namespace vecframe {

void map_large_blocks() {
#ifdef __GLIBC__
  static const bool done = mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1;
  static_cast<void>(done);
#endif
}

}  // namespace vecframe
