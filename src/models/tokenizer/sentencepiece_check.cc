#include "models/tokenizer/sentencepiece_check.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

namespace vecframe::models {
namespace {

// Numbers of fields: sentencepiece_model.proto.
constexpr std::uint64_t kNormalizerSpec = 3, kDenormalizerSpec = 5, kCharacterMap = 2;

std::optional<std::uint64_t> take_number(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// Calls `field(number, bytes)` for each field of a protobuf message that is a string or a message.
// False if the message is damaged or a call gave false.
template <class F>
bool for_each_field(std::string_view message, F field) {
  while (!message.empty()) {
    const auto tag = take_number(message);
    if (!tag) return false;
    std::uint64_t size = 0;
    switch (*tag & 7) {
      case 0:
        if (!take_number(message)) return false;
        continue;
      case 1:
        size = 8;
        break;
      case 2: {
        const auto length = take_number(message);
        if (!length || *length > message.size()) return false;
        size = *length;
        if (!field(*tag >> 3, message.substr(0, size))) return false;
        break;
      }
      case 5:
        size = 4;
        break;
      default:
        return false;
    }
    if (size > message.size()) return false;
    message.remove_prefix(size);
  }
  return true;
}

// Length of a trie in bytes, the trie, then the replacements, each ended by a zero. The trie is a
// double array (Darts-clone): a unit's children are at its index xor its offset xor a byte, and its
// value, the place of a replacement, at its index xor its offset.
bool is_sound_map(std::string_view map) {
  if (map.empty()) return true;
  std::uint32_t trie_bytes = 0;
  if (map.size() <= sizeof trie_bytes) return false;
  std::memcpy(&trie_bytes, map.data(), sizeof trie_bytes);
  map.remove_prefix(sizeof trie_bytes);
  if (trie_bytes >= map.size() || trie_bytes % sizeof(std::uint32_t) != 0) return false;
  const std::string_view replacements = map.substr(trie_bytes);
  const std::size_t units = trie_bytes / sizeof(std::uint32_t);
  if (units == 0 || replacements.back() != '\0') return false;
  const auto unit_at = [&](std::size_t index) {
    std::uint32_t unit;
    std::memcpy(&unit, map.data() + index * sizeof unit, sizeof unit);
    return unit;
  };
  for (std::size_t i = 0; i < units; ++i) {
    const std::uint32_t unit = unit_at(i);
    // From a value no byte leads on. The root is not looked at for that.
    if (i != 0 && (unit >> 31) != 0) continue;
    const std::size_t offset = std::size_t{unit >> 10} << ((unit & (1u << 9)) >> 6);
    const std::size_t target = i ^ offset;
    if ((target | 0xFF) >= units) return false;
    if ((unit & (1u << 8)) != 0 && (unit_at(target) & 0x7FFFFFFFu) >= replacements.size())
      return false;
  }
  return true;
}

}  // namespace

bool has_sound_character_map(std::string_view model) {
  return for_each_field(model, [](std::uint64_t number, std::string_view spec) {
    if (number != kNormalizerSpec && number != kDenormalizerSpec) return true;
    return for_each_field(spec, [](std::uint64_t inner, std::string_view map) {
      return inner != kCharacterMap || is_sound_map(map);
    });
  });
}

}  // namespace vecframe::models
