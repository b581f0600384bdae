#include "session/own_directory.h"

#include <dlfcn.h>

namespace vecframe::session {

std::filesystem::path own_directory() {
  Dl_info info{};
  static const int anchor = 0;
  if (dladdr(&anchor, &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code ignored;
  return std::filesystem::weakly_canonical(info.dli_fname, ignored).parent_path();
}

}  // namespace vecframe::session
