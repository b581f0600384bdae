#include "models/tokenizer/vocabulary_files.h"

#include <vecframe/error.h>

#include <cstdint>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "models/tokenizer/added_tokens.h"
#include "models/tokenizer/byte_pair_encoding.h"
#include "models/tokenizer/clip_tokenizer.h"

namespace vecframe::models {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kBegin = "<|startoftext|>";
constexpr const char* kEnd = "<|endoftext|>";

[[noreturn]] void damaged(const fs::path& path, const std::string& problem) {
  throw RequestError("tokenizer: '" + path.string() + "' is damaged (" + problem +
                     "); fetch it again");
}

std::ifstream open(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw RequestError("tokenizer: '" + path.string() +
                       "' cannot be read; fetch the whole model directory");
  return file;
}

void read_vocabulary(const fs::path& path, BytePairEncoding& encoding) {
  std::ifstream file = open(path);
  try {
    const json vocabulary = json::parse(file);
    if (!vocabulary.is_object()) damaged(path, "no object of ids");
    for (const auto& [token, value] : vocabulary.items()) {
      const auto id = value.get<std::int64_t>();
      if (id < 0 || id > std::numeric_limits<TokenId>::max())
        damaged(path, "the id " + std::to_string(id) + " is out of range");
      encoding.add_token(token, static_cast<TokenId>(id));
    }
  } catch (const json::exception& error) {
    damaged(path, error.what());
  }
}

void read_merges(const fs::path& path, BytePairEncoding& encoding) {
  std::ifstream file = open(path);
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.starts_with("#version")) continue;
    const std::size_t space = line.find(' ');
    if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos)
      damaged(path, "the line '" + line.substr(0, 60) + "' is not a pair");
    encoding.add_merge(line.substr(0, space), line.substr(space + 1));
  }
}

}  // namespace

std::unique_ptr<Tokenizer> read_vocabulary_files(const fs::path& directory,
                                                 const TokenizerSettings& settings) {
  BytePairEncoding encoding;
  read_vocabulary(directory / "vocab.json", encoding);
  read_merges(directory / "merges.txt", encoding);

  AddedTokens raw, normalized;
  const auto add = [&](const NamedToken& token) {
    const auto id = encoding.find(token.content);
    if (!id || raw.find(token.content) || normalized.find(token.content)) return;
    if (!token.plain)
      throw RequestError("tokenizer_config.json: the special token '" + token.content +
                         "' takes white space along, which this version does not do; images can "
                         "be embedded with this model, texts cannot");
    (token.normalized ? normalized : raw).add(token.content, *id);
  };
  for (const NamedToken& token : settings.named) add(token);
  add(settings.begin.value_or(NamedToken{kBegin}));
  add(settings.end.value_or(NamedToken{kEnd}));
  const std::string unknown = settings.unknown.value_or(NamedToken{kEnd}).content;
  const auto unknown_id = encoding.find(unknown);
  if (!unknown_id)
    damaged(directory / "vocab.json", "it lacks the unknown token '" + unknown + "'");
  return std::make_unique<ClipTokenizer>(std::move(encoding), *unknown_id, std::move(raw),
                                         std::move(normalized));
}

}  // namespace vecframe::models
