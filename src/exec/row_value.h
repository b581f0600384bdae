// The value of an expression for one row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/byte_budget.h"
#include "image/image.h"

namespace vecframe::exec {

/// Bytes of a column, or of a file that was read for this row.
struct RowBytes {
  std::span<const std::byte> view;
  std::vector<std::byte> owned;  ///< what `view` is of, or empty
  std::string location;          ///< from where `owned` was read, and can be read again
};

/// monostate is null.
using RowValue = std::variant<std::monostate, std::string_view, RowBytes, image::Image,
                              std::uint32_t, double, std::vector<float>, std::vector<std::int64_t>>;

/// What a row holds of the budget while it is worked on. A row that waits for more holds nothing
/// that another could wait for; see RowEvaluator.
struct RowCredit {
  Credit file, picture;
  void release() {
    file.release();
    picture.release();
  }
};

inline bool is_null(const RowValue& value) { return std::holds_alternative<std::monostate>(value); }

}  // namespace vecframe::exec
