#include "providers/http/temporary_directory.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>

#include "providers/http/hub_error.h"

namespace vecframe::providers {

TemporaryDirectory::TemporaryDirectory() {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  std::string name = ((error ? "/tmp" : parent) / "vecframe-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    throw HubError(HubError::Kind::kStorage,
                   fmt::format("cannot create {}: {}", name, std::strerror(errno)));
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace vecframe::providers
