// Shell patterns of one path component.
#pragma once

#include <string_view>

namespace vecframe::storage {

/// Whether the component has any of `*`, `?`, `[`.
bool is_pattern(std::string_view component);

/// `*` any characters, `?` one, `[abc]`, `[a-z]`, `[!a]` or `[^a]` one of a set, `\` takes the next
/// one literally. A name that begins with a dot matches only a pattern that does. Bytes, not
/// characters.
bool matches(std::string_view pattern, std::string_view name);

}  // namespace vecframe::storage
