#include "job/recipe.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/fingerprint.h"

namespace vecframe::job {
namespace {

constexpr std::string_view kPrefix = "vecframe.";
constexpr std::array<std::string_view, 5> kDescriptions = {"version", "model", "family", "revision",
                                                           "licence"};

bool describes_only(std::string_view name) {
  return std::find(kDescriptions.begin(), kDescriptions.end(), name) != kDescriptions.end();
}

using Fields = std::vector<std::pair<std::string, std::string>>;

const std::string* find(const Fields& fields, const std::string& name) {
  for (const auto& [known, value] : fields)
    if (known == name) return &value;
  return nullptr;
}

}  // namespace

void Recipe::add(const columnar::Schema& schema) {
  for (const auto& [key, value] : schema.metadata) {
    if (!key.starts_with(kPrefix)) continue;
    const std::string name = key.substr(kPrefix.size());
    if (!describes_only(name)) add(name, value);
  }
  std::string columns;
  for (const columnar::Field& field : schema.fields)
    columns += (columns.empty() ? "" : ", ") + field.name + " " + field.type.to_string();
  add("columns", columns);
}

Recipe Recipe::parse(const std::string& json) {
  Recipe recipe;
  recipe.fields_.clear();
  const auto parsed = nlohmann::ordered_json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) {
    recipe.add("recipe", json);
    return recipe;
  }
  for (const auto& [name, value] : parsed.items())
    recipe.add(name, value.is_string() ? value.get<std::string>() : value.dump());
  return recipe;
}

void Recipe::add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

std::string Recipe::to_json() const {
  auto json = nlohmann::ordered_json::object();
  for (const auto& [name, value] : fields_) json[name] = value;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Recipe::fingerprint() const {
  Fingerprint fingerprint;
  for (const auto& [name, value] : fields_) fingerprint.add_field(name).add_field(value);
  return fingerprint.hex();
}

bool Recipe::same_rows(const Recipe& other) const {
  const std::string* theirs = find(other.fields_, "rows");
  return theirs != nullptr && *theirs == *find(fields_, "rows");
}

std::string Recipe::difference(const Recipe& other) const {
  if (to_json() == other.to_json()) return "";  // bytes that are no UTF-8 do not survive JSON
  for (const auto& [name, value] : fields_) {
    const std::string* theirs = find(other.fields_, name);
    if (theirs == nullptr) return name + " is missing, not '" + value + "'";
    if (*theirs != value) return name + " is '" + *theirs + "', not '" + value + "'";
  }
  for (const auto& [name, value] : other.fields_)
    if (find(fields_, name) == nullptr) return name + " is '" + value + "', which is not asked for";
  return "";
}

}  // namespace vecframe::job
