// tokenizer_config.json and special_tokens_map.json: what a tokenizer's class adds to its
// vocabulary.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vecframe::models {

/// A token that is matched in the text as it is spelled.
struct NamedToken {
  std::string content;
  bool normalized = false;  ///< looked for in the normalised text
  bool plain = true;        ///< takes no white space beside it along, and needs no word boundary
};

struct TokenizerSettings {
  std::string tokenizer_class;             ///< empty if the files do not say
  std::optional<std::int64_t> max_tokens;  ///< model_max_length, unless it means "no limit"
  std::optional<bool> pads_left;
  bool lower_case = true;  ///< do_lower_case
  std::optional<NamedToken> begin, end, unknown, padding;
  std::vector<NamedToken> named;  ///< all of them and further special ones, in the files' order
};

/// Files that are absent leave the defaults. Throws RequestError for a file that cannot be read or
/// a setting that this version does not follow.
TokenizerSettings read_tokenizer_settings(const std::filesystem::path& directory);

}  // namespace vecframe::models
