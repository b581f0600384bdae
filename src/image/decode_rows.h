// Encoded bytes to pixels, a few rows at a time: a large picture that is made small at once never
// lies in memory as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "image/probe.h"

namespace vecframe::image {

/// Takes the rows of a picture from the top, as they are decoded. Nothing here throws: a decoder in
/// C calls it.
class RowSink {
 public:
  /// Rows of pixels, back to back.
  struct Room {
    std::uint8_t* pixels = nullptr;
    std::uint32_t rows = 0;
  };

  virtual ~RowSink() = default;
  /// Where the next rows go: at least one, while the picture is not whole.
  virtual Room room() noexcept = 0;
  /// So many rows of that room have been written.
  virtual void take(std::uint32_t rows) noexcept = 0;
};

/// Whether decode_rows() can decode such a picture.
bool decodes_by_rows(const ImageInfo& info);

/// As decode(), with the same errors; they come when the sink has taken rows already. Beside them
/// it holds what info.decode_bytes counts beyond the picture itself.
Status decode_rows(std::span<const std::byte> bytes, const ImageInfo& info, RowSink& sink);

}  // namespace vecframe::image
