// A file mapped read-only into memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace vecframe {

class MappedFile {
 public:
  /// Throws std::system_error when the file cannot be opened or mapped. An empty file maps to an
  /// empty span.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Tells the kernel that these bytes are not needed for now, so that they stop counting as
  /// resident. They can still be read; only the page cache is asked again.
  void release_pages(std::span<const std::byte> part) const;

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace vecframe
