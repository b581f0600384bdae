// Lists of integers in somebody else's table, such as boxes.
#pragma once

#include <vecframe/arrow_c.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "columnar/schema.h"

namespace vecframe::columnar {

/// Lists of fixed or varied length, with 32- or 64-bit offsets, of integers of any width.
bool is_integer_list(const DataType& type);

/// The integers of a row; nothing if one of them is null or beyond int64. Only when the row is
/// valid.
std::optional<std::vector<std::int64_t>> integers_at(const ArrowArray& array, std::int64_t row,
                                                     const DataType& type);

}  // namespace vecframe::columnar
