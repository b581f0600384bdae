// Any picture: crop it, resize it, encode it, and decode what that made. The first bytes choose the
// mode, the sides and the settings, the rest are pixels.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "image/crop.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/fit.h"

namespace {

constexpr std::size_t kSettings = 12;

// Room for a picture that comes out a line: short sides are the most likely.
std::uint32_t side(std::uint8_t byte) { return byte < 250 ? byte % 40u : byte * 3u; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vecframe::image;
  if (size < kSettings) return 0;
  Image image(static_cast<Mode>(data[0] % 4 + 1), {side(data[1]), side(data[2])});
  for (std::size_t i = 0; i < image.pixels().size(); ++i)
    image.pixels()[i] = size > kSettings ? data[kSettings + i % (size - kSettings)] : data[0];
  const Image part = crop(image, {side(data[3]), side(data[4]), side(data[5]), side(data[6])});
  const Size wanted{std::max(side(data[7]), 1u), std::max(side(data[8]), 1u)};
  const auto fitted = resize_to_fit(part, wanted, static_cast<Fit>(data[9] % 4),
                                    static_cast<Filter>(data[9] / 4 % 5));
  const Image& picture = fitted.ok() ? *fitted : part;
  const EncodeOptions options{static_cast<Format>(data[10] % 6), data[11] % 110, data[11] > 127};
  const auto bytes = encode(picture, options);
  if (!bytes.ok()) return 0;
  const auto info = probe(*bytes);
  if (!info.ok() || info->format != options.format || info->size != picture.size())
    __builtin_trap();
  const auto back = decode(*bytes, *info);
  if (!back.ok() || back->size() != picture.size()) __builtin_trap();
  return 0;
}
