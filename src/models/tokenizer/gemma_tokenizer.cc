#include "models/tokenizer/gemma_tokenizer.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "models/tokenizer/unicode.h"

namespace vecframe::models {
namespace {

constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";  // U+2581

std::string replace_spaces(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ') {
      out += kSpaceSymbol;
    } else {
      out += c;
    }
  }
  return out;
}

std::string byte_token(unsigned char byte) {
  char text[7];
  std::snprintf(text, sizeof text, "<0x%02X>", byte);
  return text;
}

}  // namespace

GemmaTokenizer::GemmaTokenizer(BytePairEncoding encoding, TokenId unknown, bool lowercase,
                               AddedTokens raw_tokens, AddedTokens normalized_tokens)
    : encoding_(std::move(encoding)),
      unknown_(unknown),
      lowercase_(lowercase),
      raw_tokens_(std::move(raw_tokens)),
      normalized_tokens_(std::move(normalized_tokens)) {}

std::vector<TokenId> GemmaTokenizer::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  const auto add = [&](TokenId id) { ids.push_back(id); };
  raw_tokens_.split(
      text,
      [&](std::string_view piece) {
        const std::string normalized =
            replace_spaces(lowercase_ ? to_lower_each(piece) : std::string(piece));
        normalized_tokens_.split(
            normalized, [&](std::string_view part) { encode_piece(part, ids); }, add);
      },
      add);
  return ids;
}

std::optional<TokenId> GemmaTokenizer::find(std::string_view token) const {
  for (const AddedTokens* group : {&raw_tokens_, &normalized_tokens_}) {
    if (const auto added = group->find(token)) return added;
  }
  return encoding_.find(token);
}

TokenId GemmaTokenizer::largest_id() const {
  return std::max(
      {encoding_.largest_id(), raw_tokens_.largest_id(), normalized_tokens_.largest_id()});
}

void GemmaTokenizer::encode_piece(std::string_view text, std::vector<TokenId>& ids) const {
  std::vector<TokenId> symbols;
  // An unknown waits until the next known character, past any byte tokens between, and takes
  // further unknowns in: the order in which the reference writes them.
  bool unknown_waits = false;
  const auto settle = [&] {
    if (unknown_waits) symbols.push_back(unknown_);
    unknown_waits = false;
  };
  while (!text.empty()) {
    std::string character;
    append_utf8(next_code_point(text), character);
    if (const auto known = encoding_.find(character)) {
      settle();
      symbols.push_back(*known);
      continue;
    }
    std::vector<TokenId> bytes;
    for (const char byte : character) {
      if (const auto token = encoding_.find(byte_token(static_cast<unsigned char>(byte))))
        bytes.push_back(*token);
    }
    if (bytes.size() == character.size()) {
      symbols.insert(symbols.end(), bytes.begin(), bytes.end());
    } else {
      unknown_waits = true;
    }
  }
  settle();
  encoding_.merge(symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

}  // namespace vecframe::models
