// A server of the tests, written in Python, as a process of its own for the life of one object.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vecframe::providers {

class ServerProcess {
 public:
  /// `script` is below tests/providers. It prints one line of JSON when it is ready, and ends when
  /// its standard input is closed.
  explicit ServerProcess(const std::string& script, const std::vector<std::string>& arguments = {});
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// That line.
  const nlohmann::json& greeting() const { return greeting_; }

 private:
  pid_t process_ = -1;
  int input_ = -1;
  nlohmann::json greeting_;
};

/// A new directory below that of the tests' temporary files.
std::filesystem::path make_temporary_directory(const std::string& name);

}  // namespace vecframe::providers
