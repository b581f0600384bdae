#include "job/shard_spec.h"

#include <vecframe/error.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "columnar/utf8.h"

namespace vecframe::job {
namespace {

using Json = nlohmann::ordered_json;

// Paths are bytes; those that are no UTF-8 go as hexadecimal digits.
Json to_json(const std::string& path) {
  if (columnar::is_valid_utf8(path)) return path;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : path) {
    const auto byte = static_cast<std::uint8_t>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return Json{{"hex", hex}};
}

std::string path_from_json(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  const std::string hex = json.at("hex").get<std::string>();
  std::string path;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    std::uint8_t byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    path += static_cast<char>(byte);
  }
  return path;
}

ShardSpec parse(const Json& json) {
  ShardSpec spec;
  spec.shard.id = json.at("id").get<std::int64_t>();
  spec.recipe = json.at("recipe").get<std::string>();
  spec.epoch = json.at("epoch").get<std::string>();
  spec.inputs = json.value("inputs", "");
  if (json.contains("texts")) {
    const Json& texts = json["texts"];
    spec.shard.texts = TextRange{
        texts.at("begin").get<std::int64_t>(), texts.at("end").get<std::int64_t>(),
        texts.at("first_line").get<std::int64_t>(), texts.at("content").get<std::string>()};
    spec.num_texts = texts.at("rows").get<std::int64_t>();
  }
  if (json.contains("rewrite")) {
    const Json& rewrite = json["rewrite"];
    spec.shard.rewrite = {rewrite.at("replaced").get<std::vector<std::uint32_t>>(),
                          rewrite.at("dropped").get<std::vector<std::uint32_t>>(),
                          rewrite.at("nothing_kept").get<bool>(),
                          rewrite.at("num_rows").get<std::int64_t>()};
  }
  for (const Json& file : json.value("files", Json::array()))
    spec.files.emplace_back(path_from_json(file.at(0)),
                            key_from_hex(file.at(1).get<std::string>()));
  return spec;
}

}  // namespace

std::string to_json(const ShardSpec& spec) {
  Json json;
  json["id"] = spec.shard.id;
  json["recipe"] = spec.recipe;
  json["epoch"] = spec.epoch;
  json["rows"] = spec.num_rows();
  if (!spec.inputs.empty()) json["inputs"] = spec.inputs;
  if (spec.shard.texts)
    json["texts"] = {{"begin", spec.shard.texts->begin},
                     {"end", spec.shard.texts->end},
                     {"first_line", spec.shard.texts->first_line},
                     {"content", spec.shard.texts->content},
                     {"rows", spec.num_texts}};
  if (spec.shard.rewrite)
    json["rewrite"] = {{"replaced", spec.shard.rewrite->replaced},
                       {"dropped", spec.shard.rewrite->dropped},
                       {"nothing_kept", spec.shard.rewrite->nothing_kept},
                       {"num_rows", spec.shard.rewrite->num_rows}};
  if (!spec.files.empty()) {
    Json files = Json::array();
    for (const auto& [path, key] : spec.files)
      files.push_back(Json::array({to_json(path), to_hex(key)}));
    json["files"] = std::move(files);
  }
  return json.dump();
}

ShardSpec parse_shard_spec(const std::string& text) {
  std::string cause;
  try {
    return parse(Json::parse(text));
  } catch (const Json::exception& error) {
    cause = error.what();
  } catch (const RunError& error) {
    cause = error.what();
  }
  throw RequestError("shard: not what a planned job gives (" + cause + "); hand it on unchanged");
}

}  // namespace vecframe::job
