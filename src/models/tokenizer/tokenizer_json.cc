#include "models/tokenizer/tokenizer_json.h"

#include <vecframe/error.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "models/tokenizer/added_tokens.h"
#include "models/tokenizer/byte_pair_encoding.h"
#include "models/tokenizer/clip_tokenizer.h"
#include "models/tokenizer/gemma_tokenizer.h"
#include "models/tokenizer/tokenizer_document.h"

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

// Special tokens that the settings beside the file name, and the file does not list.
void add_named_tokens(std::span<const NamedToken> named, const BytePairEncoding& encoding,
                      AddedTokens& raw, AddedTokens& normalized) {
  for (const NamedToken& token : named) {
    if (raw.find(token.content) || normalized.find(token.content)) continue;
    const auto id = encoding.find(token.content);
    if (!id) continue;  // it would have an id for which the network has no row
    if (!token.plain) refuse("special token", json(token.content));
    (token.normalized ? normalized : raw).add(token.content, *id);
  }
}

// The pieces of a template before and after the text.
void read_template(const json& processor, TokenizerJson& result) {
  bool after_text = false;
  for (const json& piece : processor.at("single")) {
    if (piece.contains("Sequence")) {
      if (after_text) refuse("post-processor", processor);
      after_text = true;
      continue;
    }
    const auto name = piece.at("SpecialToken").at("id").get<std::string>();
    for (const json& id : processor.at("special_tokens").at(name).at("ids"))
      (after_text ? result.after : result.before).push_back(to_id(id));
  }
  if (!after_text) refuse("post-processor", processor);
}

void read_post_processor(const json& processor, TokenizerJson& result) {
  if (processor.is_null() || is_type(processor, "ByteLevel")) return;  // which adds no ids
  result.has_frame = true;
  if (is_type(processor, "RobertaProcessing")) {
    result.before = {to_id(processor.at("cls").at(1))};
    result.after = {to_id(processor.at("sep").at(1))};
  } else if (is_type(processor, "TemplateProcessing")) {
    read_template(processor, result);
  } else {
    refuse("post-processor", processor);
  }
}

TokenizerJson read(TokenizerDocument document, std::span<const NamedToken> named) {
  const json& file = document.rest;
  BytePairEncoding& encoding = document.encoding;
  const json& model = file.at("model");
  if (!is_type(model, "BPE") || !model.value("dropout", json()).is_null() ||
      model.value("ignore_merges", false)) {
    refuse("model", json{{"type", model.value("type", json())},
                         {"dropout", model.value("dropout", json())}});
  }
  if (!document.has_vocabulary) refuse("model", json{{"vocab", nullptr}});
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
  add_named_tokens(named, encoding, raw, normalized);
  const auto unknown = encoding.find(text_of("unk_token"));
  if (!unknown) refuse("unknown token", json(text_of("unk_token")));

  TokenizerJson result;
  read_post_processor(file.value("post_processor", json()), result);
  if (const auto padding = file.find("padding"); padding != file.end() && padding->is_object())
    result.padding = padding->at("pad_token").get<std::string>();
  const json normalizer = file.value("normalizer", json()),
             pre_tokenizer = file.value("pre_tokenizer", json());
  if (text_of("end_of_word_suffix") == "</w>" && !byte_fallback && !fuse_unknown) {
    if (!is_clip_normalizer(normalizer)) refuse("normalizer", normalizer);
    if (!is_clip_pre_tokenizer(pre_tokenizer)) refuse("pre-tokenizer", pre_tokenizer);
    result.kind = TokenizerKind::kClip;
    result.tokenizer = std::make_unique<ClipTokenizer>(std::move(encoding), *unknown,
                                                       std::move(raw), std::move(normalized));
    return result;
  }
  if (text_of("end_of_word_suffix").empty() && byte_fallback && fuse_unknown) {
    const auto lowercase = gemma_lowercase(normalizer);
    if (!lowercase) refuse("normalizer", normalizer);
    if (!is_gemma_pre_tokenizer(pre_tokenizer)) refuse("pre-tokenizer", pre_tokenizer);
    result.kind = TokenizerKind::kGemma;
    result.tokenizer = std::make_unique<GemmaTokenizer>(std::move(encoding), *unknown, *lowercase,
                                                        std::move(raw), std::move(normalized));
    return result;
  }
  refuse("model", json{{"end_of_word_suffix", text_of("end_of_word_suffix")},
                       {"byte_fallback", byte_fallback},
                       {"fuse_unk", fuse_unknown}});
}

}  // namespace

TokenizerJson read_tokenizer_json(const std::filesystem::path& path,
                                  std::span<const NamedToken> named) {
  try {
    const MappedFile file(path);
    return read(read_tokenizer_document(file.bytes(), path), named);
  } catch (const std::system_error& error) {
    throw RequestError("tokenizer: '" + path.string() + "' cannot be read (" +
                       error.code().message() + "); fetch the whole model directory");
  } catch (const json::exception& error) {
    throw RequestError("tokenizer: '" + path.string() + "' is damaged (" + error.what() +
                       "); fetch it again");
  }
}

}  // namespace vecframe::models
