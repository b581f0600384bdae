// Spelling suggestions for error messages.
#pragma once

#include <vecframe/export.h>

#include <string>
#include <string_view>
#include <vector>

namespace vecframe {

/// The candidate nearest to `name` by edit distance, or "" when none is near enough to be what was
/// meant.
VECFRAME_API std::string nearest_name(std::string_view name,
                                      const std::vector<std::string>& candidates);

}  // namespace vecframe
