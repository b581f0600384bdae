// Text of strangers inside messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vecframe {

/// The text, or its first `most` bytes and "..." if it is longer: what a file says may be as long
/// as the file. A character of UTF-8 is not cut.
inline std::string shown_text(std::string_view text, std::size_t most = 200) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0u) == 0x80u) --most;
  return std::string(text.substr(0, most)) + "...";
}

}  // namespace vecframe
