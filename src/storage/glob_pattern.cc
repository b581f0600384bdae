#include "storage/glob_pattern.h"

#include <fnmatch.h>

#include <string>

namespace vecframe::storage {

bool is_pattern(std::string_view component) {
  return component.find_first_of("*?[") != std::string_view::npos;
}

bool matches(std::string_view pattern, std::string_view name) {
  return ::fnmatch(std::string(pattern).c_str(), std::string(name).c_str(), FNM_PERIOD) == 0;
}

}  // namespace vecframe::storage
