#include "models/tokenizer/clip_tokenizer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "models/tokenizer/unicode.h"

namespace vecframe::models {
namespace {

// GPT-2's printable stand-ins for bytes: those of Latin-1 that print stand for themselves, the rest
// follow from U+0100 on.
std::array<std::string, 256> make_byte_symbols() {
  std::array<std::string, 256> symbols;
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool prints =
        (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    append_utf8(prints ? byte : next++, symbols[byte]);
  }
  return symbols;
}

std::string collapse_white_space(std::string_view text) {
  std::string out;
  bool in_space = false;
  while (!text.empty()) {
    const char32_t code_point = next_code_point(text);
    const bool space = is_white_space(code_point);
    if (!space) {
      append_utf8(code_point, out);
    } else if (!in_space) {
      out += ' ';
    }
    in_space = space;
  }
  return out;
}

// Length of an alternative of the word pattern that is spelled out, at the start of `text`; 0 if
// none.
std::size_t literal_length(std::string_view text) {
  for (const std::string_view literal : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.starts_with(literal)) return literal.size();
  }
  return 0;
}

// Length of a special token's spelling at the start of `text`, 0 if there is none. The tokens
// themselves were taken out before; this is one that was written in capitals.
std::size_t special_length(std::string_view text) {
  for (const std::string_view special : {"<|startoftext|>", "<|endoftext|>"}) {
    if (text.starts_with(special)) return special.size();
  }
  return 0;
}

template <class Predicate>
std::size_t run_length(std::string_view text, Predicate belongs) {
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view after = rest;
    if (!belongs(next_code_point(after))) break;
    rest = after;
  }
  return text.size() - rest.size();
}

}  // namespace

ClipTokenizer::ClipTokenizer(BytePairEncoding encoding, TokenId unknown, AddedTokens raw_tokens,
                             AddedTokens normalized_tokens)
    : encoding_(std::move(encoding)),
      unknown_(unknown),
      raw_tokens_(std::move(raw_tokens)),
      normalized_tokens_(std::move(normalized_tokens)) {}

std::vector<TokenId> ClipTokenizer::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  const auto add = [&](TokenId id) { ids.push_back(id); };
  raw_tokens_.split(
      text,
      [&](std::string_view piece) {
        const std::string normalized = to_lower_each(collapse_white_space(to_nfc(piece)));
        normalized_tokens_.split(
            normalized, [&](std::string_view part) { encode_words(part, ids); }, add);
      },
      add);
  return ids;
}

std::optional<TokenId> ClipTokenizer::find(std::string_view token) const {
  for (const AddedTokens* group : {&raw_tokens_, &normalized_tokens_}) {
    if (const auto added = group->find(token)) return added;
  }
  return encoding_.find(token);
}

TokenId ClipTokenizer::largest_id() const {
  return std::max(
      {encoding_.largest_id(), raw_tokens_.largest_id(), normalized_tokens_.largest_id()});
}

void ClipTokenizer::encode_words(std::string_view text, std::vector<TokenId>& ids) const {
  while (!text.empty()) {
    // The pattern takes these whole, and the GPT-2 split that follows it cuts them in three,
    // whatever comes after.
    if (const std::size_t end = special_length(text); end > 0) {
      encode_word(text.substr(0, 2), ids);
      encode_word(text.substr(2, end - 4), ids);
      encode_word(text.substr(end - 2, 2), ids);
      text.remove_prefix(end);
      continue;
    }
    std::size_t length = literal_length(text);
    if (length == 0) {
      std::string_view rest = text;
      const char32_t first = next_code_point(rest);
      if (is_letter(first)) {
        length = run_length(text, is_letter);
      } else if (is_number(first)) {
        length = text.size() - rest.size();
      } else if (!is_white_space(first)) {
        length = run_length(
            text, [](char32_t c) { return !is_white_space(c) && !is_letter(c) && !is_number(c); });
      } else {
        text = rest;
        continue;
      }
    }
    encode_word(text.substr(0, length), ids);
    text.remove_prefix(length);
  }
}

void ClipTokenizer::encode_word(std::string_view word, std::vector<TokenId>& ids) const {
  static const std::array<std::string, 256> kByteSymbols = make_byte_symbols();
  std::vector<TokenId> symbols;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const std::string& symbol = kByteSymbols[static_cast<unsigned char>(word[i])];
    symbols.push_back(
        encoding_.find(i + 1 == word.size() ? symbol + "</w>" : symbol).value_or(unknown_));
  }
  encoding_.merge(symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

}  // namespace vecframe::models
