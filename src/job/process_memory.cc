#include "job/process_memory.h"

#include <fstream>
#include <string>

namespace vecframe::job {

std::int64_t peak_memory_of_process() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace vecframe::job
