#include "session/gpus.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace vecframe::session {
namespace {

// /dev/nvidia0, /dev/nvidia1, ...; beside them are nvidiactl and nvidia-uvm.
bool is_gpu(const std::string& name) {
  constexpr std::string_view kPrefix = "nvidia";
  return name.starts_with(kPrefix) && name.size() > kPrefix.size() &&
         std::all_of(name.begin() + kPrefix.size(), name.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

int devices_of_machine() {
  std::error_code error;
  int count = 0;
  std::filesystem::directory_iterator files("/dev", error);
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error))
    if (is_gpu(files->path().filename().string())) ++count;
  return count;
}

}  // namespace

int count_gpus() {
  const int found = devices_of_machine();
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible == nullptr) return found;
  const std::string_view list = visible;
  if (list.empty() || list.starts_with('-')) return 0;
  return std::min(found, static_cast<int>(std::count(list.begin(), list.end(), ',')) + 1);
}

}  // namespace vecframe::session
