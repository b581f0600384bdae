#include "plan/json_text.h"

#include <fmt/format.h>
#include <vecframe/error.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace vecframe::plan {
namespace {

// Brackets within brackets; texts are skipped. Of valid JSON, or at least of a JSON parser's input.
int depth_of(std::string_view text) {
  int depth = 0, deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if (c == ']' || c == '}') --depth;
  }
  return deepest;
}

void check_size(std::string_view text) {
  if (text.size() > kMostJsonBytes)
    throw RequestError(
        fmt::format("plan: {} bytes of JSON; at most {} are taken", text.size(), kMostJsonBytes));
  if (const int depth = depth_of(text); depth > kMostJsonDepth)
    throw RequestError(fmt::format(
        "plan: the JSON is nested {} deep, at most {} are taken; divide the expression, with "
        "with_column() for a part of it",
        depth, kMostJsonDepth));
}

[[noreturn]] void refuse_type(const char* key, const char* wanted) {
  refuse_json(fmt::format("'{}' is no {}", key, wanted));
}

}  // namespace

void refuse_json(const std::string& what) {
  throw RequestError("plan: " + what + "; give what to_json() made");
}

Json parse_json(std::string_view text) {
  check_size(text);
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) refuse_json("the text is no JSON");
  return json;
}

std::string write_json(const Json& json) {
  std::string text;
  try {
    text = json.dump();
  } catch (const Json::type_error&) {
    throw RequestError("plan: a text in it is no UTF-8, so that it has no JSON form");
  }
  check_size(text);
  return text;
}

const Json* find_member(const Json& object, const char* key) {
  if (!object.is_object()) refuse_json("something with '" + std::string(key) + "' is no object");
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

const Json& member_of(const Json& object, const char* key) {
  const Json* value = find_member(object, key);
  if (value == nullptr) refuse_json("'" + std::string(key) + "' is missing");
  return *value;
}

std::string text_member(const Json& object, const char* key) {
  const Json& value = member_of(object, key);
  if (!value.is_string()) refuse_type(key, "text");
  return value.get<std::string>();
}

std::int64_t integer_member(const Json& object, const char* key) {
  const Json& value = member_of(object, key);
  const bool fits =
      value.is_number_integer() &&
      !(value.is_number_unsigned() &&
        value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()});
  if (!fits) refuse_type(key, "whole number");
  return value.get<std::int64_t>();
}

bool flag_member(const Json& object, const char* key) {
  const Json& value = member_of(object, key);
  if (!value.is_boolean()) refuse_type(key, "truth value");
  return value.get<bool>();
}

const Json& array_member(const Json& object, const char* key) {
  const Json& value = member_of(object, key);
  if (!value.is_array()) refuse_type(key, "list");
  return value;
}

std::vector<std::string> texts_member(const Json& object, const char* key) {
  std::vector<std::string> texts;
  for (const Json& value : array_member(object, key)) {
    if (!value.is_string()) refuse_type(key, "list of texts");
    texts.push_back(value.get<std::string>());
  }
  return texts;
}

std::optional<std::string> optional_text(const Json& object, const char* key) {
  return find_member(object, key) == nullptr ? std::nullopt
                                             : std::optional(text_member(object, key));
}

std::optional<std::int64_t> optional_integer(const Json& object, const char* key) {
  return find_member(object, key) == nullptr ? std::nullopt
                                             : std::optional(integer_member(object, key));
}

Json number_to_json(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

double number_from_json(const Json& json) {
  if (json.is_number()) return json.get<double>();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (json == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (json == "inf") return kInfinity;
  if (json == "-inf") return -kInfinity;
  refuse_json("a number is none");
}

}  // namespace vecframe::plan
