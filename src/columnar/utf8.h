// UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vecframe::columnar {

/// Length of the well-formed sequence that `text` begins with; 0 when there is none.
std::size_t utf8_sequence_length(std::string_view text);

bool is_valid_utf8(std::string_view text);

/// `text` with U+FFFD for every byte that is part of no well-formed sequence.
std::string to_utf8_lossy(std::string_view text);

}  // namespace vecframe::columnar
