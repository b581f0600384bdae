#include "providers/http/hub_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "providers/http/hub_error.h"

namespace vecframe::providers {
namespace {

constexpr std::array<std::string_view, 11> kSmallFiles{
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "spiece.model",
    "vocab.json",
    "merges.txt",
    "README.md",
    kOpenClipConfigName,
    kConfigName};  // the configuration last: it makes a snapshot a model

constexpr std::size_t kMaxName = 96;       // the hub's own limit for an id
constexpr std::size_t kMaxRevision = 255;  // a file name under refs/
constexpr std::size_t kMaxShards = 4096;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

bool is_name_part(std::string_view part) {
  return !part.empty() && std::all_of(part.begin(), part.end(), is_word) && part.front() != '.' &&
         part.front() != '-' && part.back() != '.' && part.back() != '-' &&
         part.find("..") == std::string_view::npos && part.find("--") == std::string_view::npos;
}

bool is_revision(std::string_view revision) {
  if (revision.empty() || revision.size() > kMaxRevision) return false;
  for (;;) {
    const std::size_t slash = revision.find('/');
    const std::string_view part = revision.substr(0, slash);
    if (part.empty() || part.front() == '.' || !std::all_of(part.begin(), part.end(), [](char c) {
          return is_word(c) || c == '+' || c == '=';
        }))
      return false;
    if (slash == std::string_view::npos) return true;
    revision.remove_prefix(slash + 1);
  }
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::optional<HubId> parse_hub_id(const std::string& text) {
  const std::size_t at = text.find('@');
  HubId id{text.substr(0, at), at == std::string::npos ? "main" : text.substr(at + 1)};
  const std::size_t slash = id.name.find('/');
  const std::string_view name = id.name;
  const bool good = slash == std::string::npos ? is_name_part(name)
                                               : is_name_part(name.substr(0, slash)) &&
                                                     is_name_part(name.substr(slash + 1));
  if (!good || name.size() > kMaxName || !is_revision(id.revision)) return {};
  return id;
}

std::span<const std::string_view> small_file_names() { return kSmallFiles; }

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), is_word);
}

HubFileChoice choose_files(const std::vector<std::string>& names) {
  HubFileChoice choice;
  for (const std::string_view name : kSmallFiles) {
    if (has(names, name)) choice.small.emplace_back(name);
  }
  if (has(names, kWeightsName)) {
    choice.weights.emplace_back(kWeightsName);
  } else if (has(names, kWeightsIndexName)) {
    choice.weights.emplace_back(kWeightsIndexName);
  } else {
    for (const std::string& name : names) {
      if (is_plain_name(name) && name.ends_with(".safetensors")) choice.weights.push_back(name);
    }
    std::sort(choice.weights.begin(), choice.weights.end());
  }
  choice.only_pickles =
      choice.weights.empty() && std::any_of(names.begin(), names.end(), [](const auto& name) {
        return name.ends_with(".bin") || name.ends_with(".pth") || name.ends_with(".pt") ||
               name.ends_with(".bin.index.json");
      });
  return choice;
}

std::vector<std::string> shards_of_index(const std::string& json) {
  const auto broken = [](const std::string& why) {
    return HubError(HubError::Kind::kBroken, fmt::format("its {} {}", kWeightsIndexName, why));
  };
  const nlohmann::json index = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!index.is_object()) throw broken("is not JSON");
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object() || map->empty()) throw broken("has no weight_map");
  std::set<std::string> shards;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string() || !is_plain_name(file.get_ref<const std::string&>()))
      throw broken("names a shard that is no plain file name");
    shards.insert(file.get<std::string>());
    if (shards.size() > kMaxShards)
      throw broken(fmt::format("names more than {} shards", kMaxShards));
  }
  return {shards.begin(), shards.end()};
}

}  // namespace vecframe::providers
