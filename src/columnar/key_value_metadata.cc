#include "columnar/key_value_metadata.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace vecframe::columnar {
namespace {

void append_int32(std::string& out, std::size_t value) {
  if (value > std::numeric_limits<std::int32_t>::max())
    throw std::length_error("schema metadata of more than 2 GiB");
  const auto number = static_cast<std::int32_t>(value);
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

std::string encode_metadata(const Metadata& metadata) {
  if (metadata.empty()) return {};
  std::string out;
  append_int32(out, metadata.size());
  for (const auto& [key, value] : metadata) {
    append_int32(out, key.size());
    out += key;
    append_int32(out, value.size());
    out += value;
  }
  return out;
}

Metadata decode_metadata(const char* block) {
  Metadata pairs;
  if (block == nullptr) return pairs;
  const auto number = [&] {
    std::int32_t value = 0;
    std::memcpy(&value, block, sizeof value);
    block += sizeof value;
    return value;
  };
  const auto text = [&] {
    const auto length = static_cast<std::size_t>(number());
    std::string value(block, length);
    block += length;
    return value;
  };
  const std::int32_t count = number();
  for (std::int32_t i = 0; i < count; ++i) {
    std::string key = text();
    std::string value = text();
    pairs.emplace_back(std::move(key), std::move(value));
  }
  return pairs;
}

std::string metadata_value(const Metadata& metadata, std::string_view key) {
  for (const auto& [name, value] : metadata)
    if (name == key) return value;
  return {};
}

Metadata extension_metadata(const std::string& name, const std::string& facts) {
  return {{kExtensionName, name}, {kExtensionFacts, facts}};
}

}  // namespace vecframe::columnar
