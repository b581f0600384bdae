// Typed reading of the small JSON files beside a model. Every complaint is a RequestError that
// names the file and the key, so a hostile or mistaken file never becomes anything else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vecframe::models {

/// One object of a JSON file. A key whose value is null counts as absent, as in the files' own
/// conventions.
class JsonObject {
 public:
  /// Reads a file of at most `max_bytes`.
  static JsonObject read(const std::filesystem::path& file, std::uint64_t max_bytes = 16u << 20);
  /// `label` stands for the file in messages.
  static JsonObject parse(std::string_view text, std::string label);
  /// An object without keys: all defaults.
  static JsonObject empty(std::string label);

  /// The file, and the path of keys inside it.
  const std::string& label() const { return label_; }

  bool has(std::string_view key) const;
  bool is_object(std::string_view key) const;
  bool is_list(std::string_view key) const;

  /// Required, within [low, high].
  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high) const;
  std::int64_t integer_or(std::string_view key, std::int64_t fallback, std::int64_t low,
                          std::int64_t high) const;
  double number_or(std::string_view key, double fallback) const;
  /// Within [low, high].
  double number_or(std::string_view key, double fallback, double low, double high) const;
  /// At most 500 bytes.
  std::string text_or(std::string_view key, std::string_view fallback) const;
  bool flag_or(std::string_view key, bool fallback) const;
  /// Absent: no value. Present: an object.
  std::optional<JsonObject> object(std::string_view key) const;
  /// Absent: empty.
  std::vector<double> numbers(std::string_view key) const;
  /// All keys, also of null values; sorted.
  std::vector<std::string> keys() const;
  /// All members of an object of strings.
  std::vector<std::pair<std::string, std::string>> text_members() const;

 private:
  struct Node;
  JsonObject(std::shared_ptr<const Node> node, std::string label)
      : node_(std::move(node)), label_(std::move(label)) {}

  std::shared_ptr<const Node> node_;
  std::string label_;
};

}  // namespace vecframe::models
