// Real picture files for tests, of colours that tell which row they belong to.
#pragma once

#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace vecframe::exec {

/// A directory that goes with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vecframe-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

using Colour = std::array<std::uint8_t, 3>;

/// A colour of its own for each of 2^24 rows, never black.
inline Colour colour_of(std::int64_t row) {
  const auto mixed = static_cast<std::uint32_t>(row + 1) * 2654435761u;
  return {static_cast<std::uint8_t>(mixed >> 8), static_cast<std::uint8_t>(mixed >> 16),
          static_cast<std::uint8_t>(mixed >> 24 | 1)};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A 24-bit BMP of one colour.
inline std::string bmp_bytes(std::uint32_t width, std::uint32_t height, Colour colour) {
  const std::uint32_t stride = (width * 3 + 3) / 4 * 4;
  std::string bytes;
  const auto put = [&](std::uint32_t value, int count) {
    for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  };
  bytes += "BM";
  put(54 + stride * height, 4);
  put(0, 4);
  put(54, 4);
  put(40, 4);
  put(width, 4);
  put(height, 4);
  put(1, 2);
  put(24, 2);
  put(0, 4);
  put(stride * height, 4);
  put(2835, 4);
  put(2835, 4);
  put(0, 4);
  put(0, 4);
  std::string row;
  for (std::uint32_t x = 0; x < width; ++x) {
    for (int channel = 2; channel >= 0; --channel) {
      row.push_back(static_cast<char>(colour[static_cast<std::size_t>(channel)]));
    }
  }
  row.resize(stride, '\0');
  for (std::uint32_t y = 0; y < height; ++y) bytes += row;
  return bytes;
}

inline std::string write_picture(const std::string& path, std::int64_t row,
                                 std::uint32_t width = 24, std::uint32_t height = 18) {
  write_bytes(path, bmp_bytes(width, height, colour_of(row)));
  return path;
}

}  // namespace vecframe::exec
