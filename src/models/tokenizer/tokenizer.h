// Text to the ids a text tower takes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace vecframe::models {

using TokenId = std::int32_t;

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// Ids of a text in UTF-8, without the special tokens that a model puts around it. Special tokens
  /// spelled in the text count as themselves. Thread-safe; time is O(n log n).
  virtual std::vector<TokenId> encode(std::string_view text) const = 0;
  /// The id of a token by its spelling, special ones included.
  virtual std::optional<TokenId> find(std::string_view token) const = 0;
  /// No id that encode() gives is larger.
  virtual TokenId largest_id() const = 0;
};

}  // namespace vecframe::models
