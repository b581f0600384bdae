#include "models/tokenizer/tokenizer_json.h"

#include <vecframe/error.h>

#include <cstdint>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/tokenizer/added_tokens.h"
#include "models/tokenizer/byte_pair_encoding.h"
#include "models/tokenizer/clip_tokenizer.h"
#include "models/tokenizer/gemma_tokenizer.h"

namespace vecframe::models {
namespace {

using nlohmann::json;

constexpr const char* kClipPattern =
    R"(<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";

[[noreturn]] void refuse(const std::string& component, const json& value) {
  throw RequestError("tokenizer.json: the " + component +
                     " is of a form this version does not run: " + value.dump().substr(0, 300) +
                     "; images can be embedded with this model, texts cannot");
}

bool is_type(const json& value, const char* type) {
  return value.is_object() && value.value("type", "") == type;
}

json normalizers_of(const json& normalizer) {
  if (is_type(normalizer, "Sequence")) return normalizer.at("normalizers");
  if (normalizer.is_null()) return json::array();
  return json::array({normalizer});
}

bool is_clip_normalizer(const json& normalizer) {
  const json steps = normalizers_of(normalizer);
  return steps.size() == 3 && is_type(steps[0], "NFC") && is_type(steps[1], "Replace") &&
         steps[1].at("pattern") == json{{"Regex", R"(\s+)"}} && steps[1].at("content") == " " &&
         is_type(steps[2], "Lowercase");
}

bool is_clip_pre_tokenizer(const json& value) {
  if (!is_type(value, "Sequence")) return false;
  const json& steps = value.at("pretokenizers");
  if (steps.size() != 2 || !is_type(steps[0], "Split") || !is_type(steps[1], "ByteLevel"))
    return false;
  return steps[0].at("pattern") == json{{"Regex", kClipPattern}} &&
         steps[0].at("behavior") == "Removed" && steps[0].at("invert") == true &&
         steps[1].at("add_prefix_space") == false;
}

// Whether the text is lowered; nothing if the normaliser is not Gemma's.
std::optional<bool> gemma_lowercase(const json& normalizer) {
  const json steps = normalizers_of(normalizer);
  const auto is_replace = [](const json& step) {
    return is_type(step, "Replace") && step.at("pattern") == json{{"String", " "}} &&
           step.at("content") == "\xE2\x96\x81";
  };
  if (steps.size() == 1 && is_replace(steps[0])) return false;
  if (steps.size() == 2 && is_type(steps[0], "Lowercase") && is_replace(steps[1])) return true;
  return std::nullopt;
}

// Its space never occurs: the normaliser has replaced every one.
bool is_gemma_pre_tokenizer(const json& value) {
  if (value.is_null()) return true;
  return is_type(value, "Split") && value.at("pattern") == json{{"String", " "}} &&
         value.at("behavior") == "MergedWithPrevious" && value.at("invert") == false;
}

TokenId to_id(const json& value) {
  const auto id = value.get<std::int64_t>();
  if (id < 0 || id > std::numeric_limits<TokenId>::max()) {
    throw RequestError("tokenizer.json: the id " + std::to_string(id) +
                       " is out of range; the file is damaged");
  }
  return static_cast<TokenId>(id);
}

BytePairEncoding read_model(const json& model) {
  BytePairEncoding::Vocabulary vocabulary;
  for (const auto& [token, id] : model.at("vocab").items()) vocabulary.emplace(token, to_id(id));
  BytePairEncoding::Merges merges;
  for (const json& merge : model.at("merges")) {
    if (merge.is_array()) {
      merges.emplace_back(merge.at(0).get<std::string>(), merge.at(1).get<std::string>());
      continue;
    }
    const auto text = merge.get<std::string>();  // the older form: "left right"
    const std::size_t space = text.find(' ');
    if (space == std::string::npos) refuse("merge", merge);
    merges.emplace_back(text.substr(0, space), text.substr(space + 1));
  }
  return BytePairEncoding(std::move(vocabulary), merges);
}

void read_added_tokens(const json& tokens, AddedTokens& raw, AddedTokens& normalized) {
  for (const json& token : tokens) {
    if (token.at("single_word") == true || token.at("lstrip") == true ||
        token.at("rstrip") == true) {
      refuse("added token", token);
    }
    AddedTokens& group = token.at("normalized") == true ? normalized : raw;
    group.add(token.at("content").get<std::string>(), to_id(token.at("id")));
  }
}

std::unique_ptr<Tokenizer> read(const json& file) {
  const json& model = file.at("model");
  if (!is_type(model, "BPE") || !model.value("dropout", json()).is_null() ||
      model.value("ignore_merges", false)) {
    refuse("model", json{{"type", model.value("type", json())},
                         {"dropout", model.value("dropout", json())}});
  }
  const auto text_of = [&](const char* key) {
    const auto found = model.find(key);
    return found == model.end() || found->is_null() ? std::string() : found->get<std::string>();
  };
  if (!text_of("continuing_subword_prefix").empty())
    refuse("model", json{{"prefix", model["continuing_subword_prefix"]}});
  const bool byte_fallback = model.value("byte_fallback", false),
             fuse_unknown = model.value("fuse_unk", false);

  AddedTokens raw, normalized;
  read_added_tokens(file.value("added_tokens", json::array()), raw, normalized);
  BytePairEncoding encoding = read_model(model);
  const auto unknown = encoding.find(text_of("unk_token"));
  if (!unknown) refuse("unknown token", json(text_of("unk_token")));

  const json normalizer = file.value("normalizer", json()),
             pre_tokenizer = file.value("pre_tokenizer", json());
  if (text_of("end_of_word_suffix") == "</w>" && !byte_fallback && !fuse_unknown) {
    if (!is_clip_normalizer(normalizer)) refuse("normalizer", normalizer);
    if (!is_clip_pre_tokenizer(pre_tokenizer)) refuse("pre-tokenizer", pre_tokenizer);
    return std::make_unique<ClipTokenizer>(std::move(encoding), *unknown, std::move(raw),
                                           std::move(normalized));
  }
  if (text_of("end_of_word_suffix").empty() && byte_fallback && fuse_unknown) {
    const auto lowercase = gemma_lowercase(normalizer);
    if (!lowercase) refuse("normalizer", normalizer);
    if (!is_gemma_pre_tokenizer(pre_tokenizer)) refuse("pre-tokenizer", pre_tokenizer);
    return std::make_unique<GemmaTokenizer>(std::move(encoding), *unknown, *lowercase,
                                            std::move(raw), std::move(normalized));
  }
  refuse("model", json{{"end_of_word_suffix", text_of("end_of_word_suffix")},
                       {"byte_fallback", byte_fallback},
                       {"fuse_unk", fuse_unknown}});
}

}  // namespace

std::unique_ptr<Tokenizer> read_tokenizer_json(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw RequestError("tokenizer: '" + path.string() +
                       "' cannot be read; fetch the whole model directory");
  try {
    return read(json::parse(file));
  } catch (const json::exception& error) {
    throw RequestError("tokenizer: '" + path.string() + "' is damaged (" + error.what() +
                       "); fetch it again");
  }
}

}  // namespace vecframe::models
