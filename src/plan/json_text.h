// Reading JSON that may come from strangers: every value is looked for, and of its type, or the
// request is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vecframe::plan {

using Json = nlohmann::ordered_json;

/// Bytes of a text that is read, at most.
inline constexpr std::size_t kMostJsonBytes = std::size_t{64} << 20;
/// Brackets within brackets, at most: twice the depth of an expression.
inline constexpr int kMostJsonDepth = 1000;

/// Throws RequestError for what is no JSON, too large or too deep.
Json parse_json(std::string_view text);

/// Throws RequestError for what could not be read again: too large, too deep, or no UTF-8.
std::string write_json(const Json& json);

[[noreturn]] void refuse_json(const std::string& what);

/// The member of an object, or null if there is none. Throws RequestError if `object` is no object.
const Json* find_member(const Json& object, const char* key);
/// Throws RequestError if it is missing.
const Json& member_of(const Json& object, const char* key);

/// Throw RequestError if the member is missing or of another type.
std::string text_member(const Json& object, const char* key);
std::int64_t integer_member(const Json& object, const char* key);
bool flag_member(const Json& object, const char* key);
std::vector<std::string> texts_member(const Json& object, const char* key);
const Json& array_member(const Json& object, const char* key);

/// Nothing if the member is missing.
std::optional<std::string> optional_text(const Json& object, const char* key);
std::optional<std::int64_t> optional_integer(const Json& object, const char* key);

/// Any number, also those that JSON has no digits for.
Json number_to_json(double value);
double number_from_json(const Json& json);

}  // namespace vecframe::plan
