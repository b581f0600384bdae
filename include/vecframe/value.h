// A value that an expression or an option can hold.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace vecframe {

/// monostate is null.
using Value =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<double>>;

}  // namespace vecframe
