// A model directory made for one test.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vecframe::models {

/// Calls `action`, which must throw E, and returns the message.
template <class E, class F>
std::string message_of(F action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

/// Length, header and data as a safetensors file has them.
inline std::string safetensors_bytes(std::string_view header, std::string_view data) {
  std::string bytes(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes.append(header).append(data);
}

/// A file of float32 tensors, all zero.
inline std::string zero_tensors(const std::map<std::string, std::vector<std::int64_t>>& shapes) {
  std::string header = "{";
  std::size_t position = 0;
  for (const auto& [name, shape] : shapes) {
    std::size_t bytes = 4;
    std::string dimensions;
    for (std::int64_t n : shape) {
      bytes *= static_cast<std::size_t>(n);
      dimensions += (dimensions.empty() ? "" : ",") + std::to_string(n);
    }
    header += (position == 0 ? "\"" : ",\"") + name + R"(":{"dtype":"F32","shape":[)" + dimensions +
              R"(],"data_offsets":[)" + std::to_string(position) + "," +
              std::to_string(position + bytes) + "]}";
    position += bytes;
  }
  return safetensors_bytes(header + "}", std::string(position, '\0'));
}

class TemporaryModel {
 public:
  TemporaryModel() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vecframe-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    directory_ = pattern;
  }
  ~TemporaryModel() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  TemporaryModel(const TemporaryModel&) = delete;
  TemporaryModel& operator=(const TemporaryModel&) = delete;

  const std::filesystem::path& directory() const { return directory_; }
  TemporaryModel& write(const std::string& name, std::string_view bytes) {
    std::ofstream(directory_ / name, std::ios::binary) << bytes;
    return *this;
  }

 private:
  std::filesystem::path directory_;
};

}  // namespace vecframe::models
