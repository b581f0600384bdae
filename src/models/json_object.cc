#include "models/json_object.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/mapped_file.h"
#include "base/shown_text.h"

namespace vecframe::models {

using Json = nlohmann::json;

// `value` points into the tree that `root` keeps alive.
struct JsonObject::Node {
  std::shared_ptr<const Json> root;
  const Json* value = nullptr;

  const Json* find(std::string_view key) const {
    const auto it = value->find(std::string(key));
    return it == value->end() || it->is_null() ? nullptr : &*it;
  }
};

namespace {

// Real files nest four or five levels; deeper ones only waste memory.
constexpr int kMaxDepth = 64;
// Names of classes and functions; messages repeat them.
constexpr std::size_t kMaxTextBytes = 500;

[[noreturn]] void fail(const std::string& label, std::string_view key, std::string_view problem) {
  throw RequestError(fmt::format("{}: '{}' {}", label, shown_text(key), problem));
}

std::int64_t to_integer(const Json& value, const std::string& label, std::string_view key,
                        std::int64_t low, std::int64_t high) {
  // 224.0 occurs where a file was written by hand.
  if (!value.is_number()) fail(label, key, "is not a number");
  const double number = value.get<double>();
  if (!(number >= static_cast<double>(low) && number <= static_cast<double>(high)) ||
      number != std::floor(number))
    fail(label, key, fmt::format("is {}, not a whole number from {} to {}", number, low, high));
  return static_cast<std::int64_t>(number);
}

}  // namespace

JsonObject JsonObject::read(const std::filesystem::path& file, std::uint64_t max_bytes) {
  try {
    const MappedFile mapped(file);
    const std::span<const std::byte> bytes = mapped.bytes();
    if (bytes.size() > max_bytes)
      throw RequestError(fmt::format("{}: {} bytes are more than a file of this kind has ({})",
                                     file.string(), bytes.size(), max_bytes));
    return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
  } catch (const std::system_error& error) {
    throw RequestError(
        fmt::format("{}: cannot be read: {}", file.string(), error.code().message()));
  }
}

JsonObject JsonObject::parse(std::string_view text, std::string label) {
  try {
    const auto within_depth = [](int depth, Json::parse_event_t, Json&) {
      if (depth > kMaxDepth) throw RequestError("nested too deeply");
      return true;
    };
    auto root = std::make_shared<const Json>(Json::parse(text, within_depth));
    if (!root->is_object()) throw RequestError("is not a JSON object");
    Node node{root, root.get()};
    return {std::make_shared<const Node>(std::move(node)), std::move(label)};
  } catch (const Json::exception& error) {
    throw RequestError(fmt::format("{}: not valid JSON: {}", label, shown_text(error.what())));
  } catch (const RequestError& error) {
    throw RequestError(fmt::format("{}: {}", label, error.what()));
  }
}

JsonObject JsonObject::empty(std::string label) { return parse("{}", std::move(label)); }

bool JsonObject::has(std::string_view key) const { return node_->find(key) != nullptr; }

bool JsonObject::is_object(std::string_view key) const {
  const Json* value = node_->find(key);
  return value != nullptr && value->is_object();
}

bool JsonObject::is_list(std::string_view key) const {
  const Json* value = node_->find(key);
  return value != nullptr && value->is_array();
}

std::int64_t JsonObject::integer(std::string_view key, std::int64_t low, std::int64_t high) const {
  const Json* value = node_->find(key);
  if (value == nullptr) fail(label_, key, "is missing");
  return to_integer(*value, label_, key, low, high);
}

std::int64_t JsonObject::integer_or(std::string_view key, std::int64_t fallback, std::int64_t low,
                                    std::int64_t high) const {
  return has(key) ? integer(key, low, high) : fallback;
}

double JsonObject::number_or(std::string_view key, double fallback) const {
  const Json* value = node_->find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number() || !std::isfinite(value->get<double>()))
    fail(label_, key, "is not a number");
  return value->get<double>();
}

double JsonObject::number_or(std::string_view key, double fallback, double low, double high) const {
  const double number = number_or(key, fallback);
  if (!(number >= low && number <= high))
    fail(label_, key, fmt::format("is {}, not a number from {} to {}", number, low, high));
  return number;
}

std::string JsonObject::text_or(std::string_view key, std::string_view fallback) const {
  const Json* value = node_->find(key);
  if (value == nullptr) return std::string(fallback);
  if (!value->is_string()) fail(label_, key, "is not a string");
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() > kMaxTextBytes)
    fail(label_, key,
         fmt::format("is a text of {} bytes, more than {}", text.size(), kMaxTextBytes));
  return text;
}

bool JsonObject::flag_or(std::string_view key, bool fallback) const {
  const Json* value = node_->find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) fail(label_, key, "is not true or false");
  return value->get<bool>();
}

std::optional<JsonObject> JsonObject::object(std::string_view key) const {
  const Json* value = node_->find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) fail(label_, key, "is not an object");
  return JsonObject(std::make_shared<const Node>(Node{node_->root, value}),
                    fmt::format("{}: {}", label_, key));
}

std::vector<double> JsonObject::numbers(std::string_view key) const {
  const Json* value = node_->find(key);
  std::vector<double> result;
  if (value == nullptr) return result;
  if (!value->is_array()) fail(label_, key, "is not a list of numbers");
  for (const Json& item : *value) {
    if (!item.is_number() || !std::isfinite(item.get<double>()))
      fail(label_, key, "is not a list of numbers");
    result.push_back(item.get<double>());
  }
  return result;
}

std::vector<std::string> JsonObject::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : node_->value->items()) keys.push_back(key);
  return keys;
}

std::vector<std::pair<std::string, std::string>> JsonObject::text_members() const {
  std::vector<std::pair<std::string, std::string>> members;
  for (const auto& [key, value] : node_->value->items()) {
    if (!value.is_string()) fail(label_, key, "is not a string");
    members.emplace_back(key, value.get<std::string>());
  }
  return members;
}

}  // namespace vecframe::models
