// A directory that goes with its object.
#pragma once

#include <filesystem>

namespace vecframe::providers {

class TemporaryDirectory {
 public:
  /// In the system's directory for such; readable by this user alone. Throws HubError.
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace vecframe::providers
