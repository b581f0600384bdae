#include "exec/processors.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

namespace vecframe::exec {
namespace {

int affinity_count() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) return CPU_COUNT(&mask);
  return static_cast<int>(std::thread::hardware_concurrency());  // more than CPU_SETSIZE processors
}

// A quota of less than a whole processor still needs one thread, and 2.5 of them keep 3 busy.
int processors_of(double quota_us, double period_us) {
  if (!(quota_us > 0) || !(period_us > 0)) return 0;
  return std::max(1, static_cast<int>(std::ceil(quota_us / period_us)));
}

// 0: no cap. Containers see their own group at the root of the mount, in version 2 and in 1.
int quota_count() {
  std::string quota;
  double period = 0;
  if (std::ifstream file("/sys/fs/cgroup/cpu.max"); file >> quota >> period) {
    return quota == "max" ? 0 : processors_of(std::atof(quota.c_str()), period);
  }
  double quota_us = 0;
  std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (quota_file >> quota_us && period_file >> period) return processors_of(quota_us, period);
  return 0;
}

}  // namespace

int usable_processors() {
  const int affinity = std::max(1, affinity_count());
  const int quota = quota_count();
  return quota == 0 ? affinity : std::min(affinity, quota);
}

std::shared_ptr<CoreShare> share_processors(int workers) {
  return std::make_shared<CoreShare>(std::min(workers, usable_processors()), workers);
}

}  // namespace vecframe::exec
