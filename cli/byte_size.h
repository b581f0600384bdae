// Amounts of memory as people write them.
#pragma once

#include <cstdint>
#include <string>

namespace vecframe::cli {

/// "536870912", "512M", "512MiB", "1.5G": powers of two throughout. Throws RequestError.
std::int64_t parse_byte_size(const std::string& text);

}  // namespace vecframe::cli
