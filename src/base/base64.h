// Bytes as text of 64 characters, and back (RFC 4648, section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vecframe {

std::string to_base64(std::string_view bytes);

/// Nothing for what is no such text: another character, a wrong length, bits beyond the last byte.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace vecframe
