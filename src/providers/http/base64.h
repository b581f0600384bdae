// Base64 (RFC 4648) as JSON carries pictures and vectors: one line, padded.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vecframe::providers {

/// Appends the encoded bytes to `text`.
void append_base64(std::span<const std::byte> bytes, std::string& text);
/// Nothing if `text` is not base64: another length than a multiple of 4, or a foreign character.
std::optional<std::vector<std::byte>> decode_base64(std::string_view text);

}  // namespace vecframe::providers
