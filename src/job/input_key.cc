#include "job/input_key.h"

#include <vecframe/error.h>

#include <charconv>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <span>
#include <vector>

#include "base/fingerprint.h"

namespace vecframe::job {
namespace {

InputKey key_of(std::string_view path, const Hash128& version) {
  const Hash128 name = hash_of(std::as_bytes(std::span(path)));
  return InputKey{name.high, static_cast<std::uint32_t>(name.low),
                  static_cast<std::uint32_t>(version.low)}
      .with_failed(false);
}

}  // namespace

InputKey key_of(std::string_view path, const storage::FileVersion& version) {
  const std::int64_t facts[] = {version.size, version.modified_ns};
  return key_of(path, hash_of(std::as_bytes(std::span(facts))));
}

InputKey key_of_content(const std::string& path) {
  Fingerprint content;
  std::ifstream file(path, std::ios::binary);
  std::vector<char> block(std::size_t{256} << 10);
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0)
    content.add(std::as_bytes(std::span(block).first(static_cast<std::size_t>(file.gcount()))));
  return key_of(path, content.digest());
}

std::string to_hex(const InputKey& key) {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%08x%08x",
                static_cast<unsigned long long>(key.path_high), key.path_low, key.version);
  return text;
}

InputKey key_from_hex(std::string_view hex) {
  InputKey key;
  const auto read = [&](std::size_t first, std::size_t count, auto& value) {
    const char* end = hex.data() + first + count;
    const auto [position, error] = std::from_chars(hex.data() + first, end, value, 16);
    return error == std::errc() && position == end;
  };
  if (hex.size() != 32 || !read(0, 16, key.path_high) || !read(16, 8, key.path_low) ||
      !read(24, 8, key.version))
    throw RunError("'" + std::string(hex) + "' is no key of an input");
  return key;
}

}  // namespace vecframe::job
