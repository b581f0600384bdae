#include "models/tokenizer/text_tokenizer.h"

#include <vecframe/error.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/fingerprint.h"
#include "base/mapped_file.h"
#include "models/tokenizer/sentencepiece_tokenizer.h"
#include "models/tokenizer/tokenizer_json.h"
#include "models/tokenizer/tokenizer_settings.h"
#include "models/tokenizer/vocabulary_files.h"

namespace vecframe::models {
namespace {

namespace fs = std::filesystem;

// Changes whenever this project reads the same files in another way.
constexpr const char* kReading = "tokenizer reading 1";

constexpr const char* kJson = "tokenizer.json";
constexpr const char* kVocabulary = "vocab.json";
constexpr const char* kMerges = "merges.txt";
constexpr const char* kSentencePiece = "spiece.model";

bool has_file(const fs::path& directory, const char* name) {
  std::error_code ignored;
  return fs::is_regular_file(directory / name, ignored);
}

// All files that may have a say, whether or not they have in this directory.
std::string fingerprint_files(const fs::path& directory) {
  Fingerprint fingerprint;
  fingerprint.add_field(kReading);
  for (const char* name : {kJson, kVocabulary, kMerges, kSentencePiece, "tokenizer_config.json",
                           "special_tokens_map.json"}) {
    if (!has_file(directory, name)) continue;
    const MappedFile file(directory / name);
    fingerprint.add_field(name).add_field(std::to_string(file.bytes().size())).add(file.bytes());
    file.release_pages(file.bytes());
  }
  return fingerprint.hex();
}

TokenId require_id(const Tokenizer& tokenizer, const std::optional<NamedToken>& token,
                   const char* fallback) {
  const std::string content = token ? token->content : fallback;
  const auto id = tokenizer.find(content);
  if (!id)
    throw RequestError("tokenizer: the special token '" + content +
                       "' is not in the vocabulary; the files belong to different models");
  return *id;
}

void frame_as_clip(const Tokenizer& tokenizer, const TokenizerSettings& settings,
                   TextFrame& frame) {
  frame.before = {require_id(tokenizer, settings.begin, "<|startoftext|>")};
  frame.after = {require_id(tokenizer, settings.end, "<|endoftext|>")};
}

// The classes around Gemma's vocabulary pad on the left unless they are told otherwise.
bool pads_left(const TokenizerSettings& settings) {
  return settings.pads_left.value_or(settings.tokenizer_class.starts_with("Gemma") ||
                                     settings.tokenizer_class.starts_with("Siglip2"));
}

std::unique_ptr<Tokenizer> read_json(const fs::path& directory, const TokenizerSettings& settings,
                                     TextFrame& frame) {
  TokenizerJson json = read_tokenizer_json(directory / kJson, settings.named);
  const bool clip = json.kind == TokenizerKind::kClip;
  frame.before = std::move(json.before);
  frame.after = std::move(json.after);
  if (clip && !json.has_frame) frame_as_clip(*json.tokenizer, settings, frame);
  const std::string padding = settings.padding
                                  ? settings.padding->content
                                  : json.padding.value_or(clip ? "<|endoftext|>" : "<pad>");
  frame.padding = json.tokenizer->find(padding);
  return std::move(json.tokenizer);
}

std::unique_ptr<Tokenizer> read_sentencepiece(const fs::path& directory,
                                              const TokenizerSettings& settings, TextFrame& frame) {
  auto tokenizer = read_sentencepiece_tokenizer(directory / kSentencePiece, settings);
  frame.after = {require_id(*tokenizer, settings.end, "</s>")};
  frame.padding = require_id(*tokenizer, settings.padding, "</s>");
  return tokenizer;
}

// A directory may have tokenizer.json and spiece.model, made of each other. The class says which
// one the model's own processor reads; only those of Gemma's kind, and CLIP's, read tokenizer.json.
bool prefers_sentencepiece(const fs::path& directory, const TokenizerSettings& settings) {
  if (!has_file(directory, kSentencePiece)) return false;
  return !has_file(directory, kJson) || settings.tokenizer_class.empty() ||
         settings.tokenizer_class.starts_with("SiglipTokenizer") ||
         settings.tokenizer_class.starts_with("T5Tokenizer");
}

}  // namespace

TextTokenizer::TextTokenizer(std::unique_ptr<Tokenizer> tokenizer, TextFrame frame,
                             std::string fingerprint)
    : tokenizer_(std::move(tokenizer)),
      frame_(std::move(frame)),
      fingerprint_(std::move(fingerprint)) {}

TokenId TextTokenizer::largest_id() const {
  TokenId largest = std::max(tokenizer_->largest_id(), frame_.padding.value_or(0));
  for (const TokenId id : frame_.before) largest = std::max(largest, id);
  for (const TokenId id : frame_.after) largest = std::max(largest, id);
  return largest;
}

std::vector<TokenId> TextTokenizer::tokenize(std::string_view text, std::int64_t max_tokens) const {
  std::vector<TokenId> ids = tokenizer_->encode(text);
  ids.resize(std::min(ids.size(), static_cast<std::size_t>(max_tokens - frame_.tokens())));
  ids.insert(ids.begin(), frame_.before.begin(), frame_.before.end());
  ids.insert(ids.end(), frame_.after.begin(), frame_.after.end());
  return ids;
}

std::vector<TokenId> TextTokenizer::tokenize_padded(std::string_view text,
                                                    std::int64_t tokens) const {
  std::vector<TokenId> ids = tokenize(text, tokens);
  const std::size_t missing = static_cast<std::size_t>(tokens) - ids.size();
  ids.insert(frame_.pads_left ? ids.begin() : ids.end(), missing, frame_.padding.value());
  return ids;
}

std::shared_ptr<const TextTokenizer> read_tokenizer(const fs::path& directory) {
  const TokenizerSettings settings = read_tokenizer_settings(directory);
  TextFrame frame;
  frame.pads_left = pads_left(settings);
  frame.max_tokens = settings.max_tokens;
  std::unique_ptr<Tokenizer> tokenizer;
  if (prefers_sentencepiece(directory, settings)) {
    tokenizer = read_sentencepiece(directory, settings, frame);
  } else if (has_file(directory, kJson)) {
    tokenizer = read_json(directory, settings, frame);
  } else if (has_file(directory, kVocabulary) && has_file(directory, kMerges)) {
    tokenizer = read_vocabulary_files(directory, settings);
    frame_as_clip(*tokenizer, settings, frame);
    frame.padding = tokenizer->find(settings.padding ? settings.padding->content
                                                     : std::string("<|endoftext|>"));
  } else {
    throw RequestError("tokenizer: there is none in '" + directory.string() +
                       "'; looked for tokenizer.json, vocab.json with merges.txt, and "
                       "spiece.model; fetch the whole model directory");
  }
  return std::make_shared<const TextTokenizer>(std::move(tokenizer), std::move(frame),
                                               fingerprint_files(directory));
}

}  // namespace vecframe::models
