// Shell patterns of one path component.
#pragma once

#include <string_view>

namespace vecframe::storage {

/// Whether the component has any of `*`, `?`, `[`.
bool is_pattern(std::string_view component);

/// `*` any characters, `?` one, `[abc]`, `[a-z]`, `[!a]` or `[^a]` one of a set. A backslash means
/// itself; `[*]` is a star. A name that begins with a dot matches only a pattern that does. A
/// character is a UTF-8 sequence, or a byte that is part of none; locales play no part.
bool matches(std::string_view pattern, std::string_view name);

}  // namespace vecframe::storage
