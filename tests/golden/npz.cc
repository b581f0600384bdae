#include "npz.h"

#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>

#include "base/mapped_file.h"

namespace vecframe::golden {
namespace {

using Bytes = std::span<const std::byte>;

template <class T>
T load(Bytes bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.subspan(offset, sizeof value).data(), sizeof value);
  return value;
}

std::string text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The stored bytes of one member, by the central directory at the end of the archive.
Bytes find_member(Bytes archive, const std::string& member) {
  constexpr std::size_t kEndRecord = 22;  // without a comment
  const std::size_t end = archive.size() - kEndRecord;
  const auto count = load<std::uint16_t>(archive, end + 10);
  std::size_t at = load<std::uint32_t>(archive, end + 16);
  for (std::uint16_t i = 0; i < count; ++i) {
    const auto method = load<std::uint16_t>(archive, at + 10);
    const auto size = load<std::uint32_t>(archive, at + 20);
    const auto name_length = load<std::uint16_t>(archive, at + 28);
    const auto extra_length = load<std::uint16_t>(archive, at + 30);
    const auto local = load<std::uint32_t>(archive, at + 42);
    if (text(archive.subspan(at + 46, name_length)) == member) {
      if (method != 0) throw std::runtime_error(member + " is compressed");
      const std::size_t data = local + 30 + load<std::uint16_t>(archive, local + 26) +
                               load<std::uint16_t>(archive, local + 28);
      return archive.subspan(data, size);
    }
    at += 46 + name_length + extra_length + load<std::uint16_t>(archive, at + 32);
  }
  throw std::runtime_error("no " + member);
}

}  // namespace

std::vector<std::byte> read_npz_array(const std::filesystem::path& path, const std::string& name,
                                      const std::string& descr) {
  const MappedFile file(path);
  const Bytes array = find_member(file.bytes(), name + ".npy");
  const auto header_length = load<std::uint16_t>(array, 8);  // format 1.0
  const std::string header = text(array.subspan(10, header_length));
  if (header.find("'" + descr + "'") == std::string::npos ||
      header.find("'fortran_order': False") == std::string::npos)
    throw std::runtime_error(name + " is not a C-ordered array of " + descr);
  const Bytes values = array.subspan(10u + header_length);
  return {values.begin(), values.end()};
}

}  // namespace vecframe::golden
