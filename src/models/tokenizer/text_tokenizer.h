// A tokenizer with what its model puts around the ids of a text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/tokenizer/tokenizer.h"

namespace vecframe::models {

struct TextFrame {
  std::vector<TokenId> before, after;
  std::optional<TokenId> padding;
  bool pads_left = false;
  std::optional<std::int64_t> max_tokens;  ///< that the files allow, ids of the frame included

  std::int64_t tokens() const { return static_cast<std::int64_t>(before.size() + after.size()); }
};

class TextTokenizer {
 public:
  /// `fingerprint`: identity of the files it was made of.
  TextTokenizer(std::unique_ptr<Tokenizer> tokenizer, TextFrame frame, std::string fingerprint);

  const TextFrame& frame() const { return frame_; }
  const std::string& fingerprint() const { return fingerprint_; }
  /// Of the vocabulary and of the frame.
  TokenId largest_id() const;

  /// The frame's ids around as many of the text's first ids as leave at most `max_tokens`, which
  /// is at least frame().tokens().
  std::vector<TokenId> tokenize(std::string_view text, std::int64_t max_tokens) const;
  /// The same filled up to `tokens` with the padding, which must be there.
  std::vector<TokenId> tokenize_padded(std::string_view text, std::int64_t tokens) const;

 private:
  std::unique_ptr<Tokenizer> tokenizer_;
  TextFrame frame_;
  std::string fingerprint_;
};

/// Reads tokenizer.json, vocab.json with merges.txt, or spiece.model, with the settings beside
/// them. Throws RequestError that says what was looked for, or what is not understood.
std::shared_ptr<const TextTokenizer> read_tokenizer(const std::filesystem::path& directory);

}  // namespace vecframe::models
