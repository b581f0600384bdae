// What the system says of this process's memory.
#pragma once

#include <cstdint>

namespace vecframe::job {

/// VmHWM of /proc/self/status in bytes; 0 where there is none.
std::int64_t peak_memory_of_process();

}  // namespace vecframe::job
