#include "providers/http/base64.h"

#include <openssl/evp.h>

#include <algorithm>
#include <limits>

namespace vecframe::providers {

void append_base64(std::span<const std::byte> bytes, std::string& text) {
  // In pieces, whose length fits the library's int; each but the last fills whole groups of three.
  constexpr std::size_t kPiece = 3u << 20;
  std::size_t at = text.size();
  text.resize(at + (bytes.size() + 2) / 3 * 4 + 1);  // the library ends what it writes with a 0
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), kPiece));
    at += static_cast<std::size_t>(EVP_EncodeBlock(
        reinterpret_cast<unsigned char*>(text.data() + at),
        reinterpret_cast<const unsigned char*>(piece.data()), static_cast<int>(piece.size())));
    bytes = bytes.subspan(piece.size());
  }
  text.resize(at);
}

std::optional<std::vector<std::byte>> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.size() > std::numeric_limits<int>::max()) return {};
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  // The library skips white space at the ends, and takes more padding than there may be.
  const std::string_view digits = text.substr(0, text.size() - padding);
  if (std::any_of(digits.begin(), digits.end(),
                  [](unsigned char c) { return c <= ' ' || c == '=' || c == '-'; }))
    return {};
  std::vector<std::byte> bytes(text.size() / 4 * 3);
  if (bytes.empty()) return bytes;
  const int written = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()));
  if (written != static_cast<int>(bytes.size())) return {};
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace vecframe::providers
