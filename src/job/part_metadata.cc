#include "job/part_metadata.h"

#include <vecframe/error.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

namespace vecframe::job {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// 128 bits of each key, the lowest byte of each number first.
std::string bytes_of(const std::vector<InputKey>& keys) {
  std::string bytes;
  bytes.reserve(keys.size() * sizeof(InputKey));
  const auto put = [&](std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
  };
  for (const InputKey& key : keys) {
    put(key.path_high, 8);
    put(key.path_low, 4);
    put(key.version, 4);
  }
  return bytes;
}

std::vector<InputKey> keys_of(std::string_view bytes) {
  std::vector<InputKey> keys(bytes.size() / sizeof(InputKey));
  const auto get = [&](std::size_t offset, int count) {
    std::uint64_t value = 0;
    for (int i = 0; i < count; ++i)
      value |= std::uint64_t{static_cast<std::uint8_t>(bytes[offset + static_cast<std::size_t>(i)])}
               << (8 * i);
    return value;
  };
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::size_t at = i * sizeof(InputKey);
    keys[i] = {get(at, 8), static_cast<std::uint32_t>(get(at + 8, 4)),
               static_cast<std::uint32_t>(get(at + 12, 4))};
  }
  return keys;
}

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j)
      word = word << 8 | (j < count ? static_cast<std::uint8_t>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      text += j <= count ? kAlphabet[word >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

// Stops at what is no digit.
std::string from_base64(std::string_view text) {
  static const std::array<std::int8_t, 256> kValues = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i)
      values[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::int8_t>(i);
    return values;
  }();
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    const std::int8_t value = kValues[static_cast<std::uint8_t>(c)];
    if (value < 0) break;
    word = word << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(word >> bits);
  }
  return bytes;
}

std::int64_t to_number(const std::string* text) {
  std::int64_t value = 0;
  if (text != nullptr) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

std::optional<TextRange> parse_range(const std::string* text) {
  if (text == nullptr) return std::nullopt;
  const auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  return TextRange{json.value("begin", std::int64_t{0}), json.value("end", std::int64_t{0}),
                   json.value("first_line", std::int64_t{0}), json.value("content", std::string())};
}

}  // namespace

std::string to_json(const TextRange& range) {
  return nlohmann::ordered_json{{"begin", range.begin},
                                {"end", range.end},
                                {"first_line", range.first_line},
                                {"content", range.content}}
      .dump();
}

std::optional<PartFacts> read_part_facts(const std::string& path, storage::TableModule& tables) {
  const auto reader = tables.open_parquet(path);
  const storage::TableFacts& table = reader->facts();
  const auto find = [&](const char* name) -> const std::string* {
    const std::string* found = nullptr;
    for (const auto& [key, value] : table.schema.metadata)
      if (key == std::string("vecframe.") + name) found = &value;
    return found;
  };
  const std::string* shard = find("shard");
  if (shard == nullptr) return std::nullopt;
  PartFacts facts;
  facts.id = to_number(shard);
  facts.num_rows = table.num_rows;
  facts.num_failed = to_number(find("failed"));
  if (const std::string* recipe = find("recipe")) facts.recipe = Recipe::parse(*recipe);
  if (const std::string* inputs = find("inputs")) facts.inputs = *inputs;
  facts.texts = parse_range(find("texts"));
  if (const std::string* keys = find("keys")) facts.keys = keys_of(from_base64(*keys));
  return facts;
}

void write_part_facts(const PartFacts& facts, storage::TableWriter& writer) {
  writer.add_metadata("vecframe.rows", std::to_string(facts.num_rows));
  writer.add_metadata("vecframe.failed", std::to_string(facts.num_failed));
  writer.add_metadata("vecframe.shard", std::to_string(facts.id));
  writer.add_metadata("vecframe.recipe", facts.recipe.to_json());
  if (!facts.inputs.empty()) writer.add_metadata("vecframe.inputs", facts.inputs);
  if (facts.texts) writer.add_metadata("vecframe.texts", to_json(*facts.texts));
  if (!facts.keys.empty()) writer.add_metadata("vecframe.keys", to_base64(bytes_of(facts.keys)));
}

}  // namespace vecframe::job
