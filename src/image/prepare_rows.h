// A slot from a picture that comes row by row.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "image/decode_rows.h"
#include "image/prepare.h"

namespace vecframe::image {

class WindowResizer;

/// Whether PrepareRows can prepare an RGB picture of `size`, which `whole` was: the recipe shrinks
/// it in both directions, rows first.
bool prepares_rows(const PrepareSpec& spec, Size size, const Whole& whole);
inline bool prepares_rows(const PrepareSpec& spec, Size size) {
  return prepares_rows(spec, size, {size});
}

/// Upper bound of the bytes a PrepareRows holds.
std::uint64_t prepare_rows_bytes(const PrepareSpec& spec, Size size, const Whole& whole);
inline std::uint64_t prepare_rows_bytes(const PrepareSpec& spec, Size size) {
  return prepare_rows_bytes(spec, size, {size});
}

/// Writes the bytes of prepare(), for an RGB picture of which it holds a strip at a time.
class PrepareRows final : public RowSink {
 public:
  /// `slot` as for prepare(); it is written until the last row has come.
  PrepareRows(const PrepareSpec& spec, Size size, std::span<std::uint8_t> slot, const Whole& whole);
  PrepareRows(const PrepareSpec& spec, Size size, std::span<std::uint8_t> slot)
      : PrepareRows(spec, size, slot, {size}) {}
  ~PrepareRows() override;

  Room room() noexcept override;
  void take(std::uint32_t rows) noexcept override;

 private:
  const std::uint32_t height_;
  const std::size_t row_bytes_;
  std::unique_ptr<WindowResizer> resizer_;
  std::vector<std::uint8_t> strip_;
  std::uint32_t first_ = 0;   // row of the picture that begins the strip
  std::uint32_t filled_ = 0;  // rows of the strip
};

}  // namespace vecframe::image
