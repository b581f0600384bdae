#include "models/tokenizer/tokenizer_settings.h"

#include <vecframe/error.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

namespace vecframe::models {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Above this, model_max_length is the number that stands for "no limit".
constexpr double kNoLimit = 1e9;

json read_object(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return json::object();
  std::ifstream file(path, std::ios::binary);
  json value = json::parse(file);
  if (!value.is_object()) throw RequestError("tokenizer: '" + path.string() + "' is no object");
  return value;
}

// A token is its spelling, or an object that has it as "content".
std::optional<NamedToken> to_token(const json& value) {
  if (value.is_string()) return NamedToken{value.get<std::string>()};
  if (!value.is_object()) return std::nullopt;
  const auto is = [&](const char* flag) { return value.value(flag, false); };
  return NamedToken{value.at("content").get<std::string>(), is("normalized"),
                    !is("lstrip") && !is("rstrip") && !is("single_word")};
}

TokenizerSettings read(const json& config, const json& map) {
  TokenizerSettings settings;
  settings.tokenizer_class = config.value("tokenizer_class", json("")).is_string()
                                 ? config.value("tokenizer_class", "")
                                 : "";
  if (const auto limit = config.find("model_max_length");
      limit != config.end() && limit->is_number() && limit->get<double>() < kNoLimit)
    settings.max_tokens = limit->get<std::int64_t>();
  if (const auto side = config.find("padding_side"); side != config.end() && side->is_string())
    settings.pads_left = *side == "left";
  if (config.value("truncation_side", "right") != "right")
    throw RequestError(
        "tokenizer_config.json: 'truncation_side' is not 'right', which is all that this version "
        "does; images can be embedded with this model, texts cannot");
  settings.lower_case = config.value("do_lower_case", true);

  if (const auto added = config.find("added_tokens_decoder"); added != config.end()) {
    for (const auto& [id, token] : added->items()) {
      if (auto named = to_token(token)) settings.named.push_back(*std::move(named));
    }
  }
  struct Role {
    const char* key;
    std::optional<NamedToken> TokenizerSettings::*token;
  };
  constexpr std::array kRoles{Role{"bos_token", &TokenizerSettings::begin},
                              Role{"eos_token", &TokenizerSettings::end},
                              Role{"unk_token", &TokenizerSettings::unknown},
                              Role{"pad_token", &TokenizerSettings::padding}};
  for (const Role& role : kRoles) {
    const json& source = config.contains(role.key) ? config : map;
    if (!source.contains(role.key)) continue;
    settings.*role.token = to_token(source.at(role.key));
    if (settings.*role.token) settings.named.push_back(*(settings.*role.token));
  }
  for (const char* key : {"mask_token", "sep_token", "cls_token"}) {
    const json& source = config.contains(key) ? config : map;
    if (!source.contains(key)) continue;
    if (auto token = to_token(source.at(key))) settings.named.push_back(*std::move(token));
  }
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
    const json& source = config.contains(key) ? config : map;
    if (!source.contains(key)) continue;
    for (const json& value : source.at(key)) {
      if (auto token = to_token(value)) settings.named.push_back(*std::move(token));
    }
  }
  return settings;
}

}  // namespace

TokenizerSettings read_tokenizer_settings(const fs::path& directory) {
  try {
    return read(read_object(directory / "tokenizer_config.json"),
                read_object(directory / "special_tokens_map.json"));
  } catch (const json::exception& error) {
    throw RequestError("tokenizer: tokenizer_config.json or special_tokens_map.json in '" +
                       directory.string() + "' is damaged (" + error.what() +
                       "); fetch them again");
  }
}

}  // namespace vecframe::models
