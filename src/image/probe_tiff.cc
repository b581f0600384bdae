#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "image/codec.h"
#include "image/exif.h"
#include "image/tiff_layout.h"

namespace vecframe::image {
namespace {

using Pixels = TiffLayout::Pixels;
using Alpha = TiffLayout::Alpha;

constexpr std::size_t kMostSamples = 6;

RowError corrupt(const char* what) { return decode_error(ErrorCode::kCorrupt, what); }
RowError unsupported(const std::string& what) {
  return decode_error(ErrorCode::kUnsupported, "tiff with " + what);
}

bool is_known_compression(std::uint64_t scheme) {
  // LZMA is left out: its decoder takes the memory that the data ask for.
  constexpr std::array<std::uint64_t, 12> kKnown = {1, 2, 3,     4,     5,     6,
                                                    7, 8, 32773, 32809, 32946, kTiffZstd};
  constexpr std::uint64_t kWebp = 50001;
  return std::find(kKnown.begin(), kKnown.end(), scheme) != kKnown.end() || scheme == kWebp;
}

// All values of a tag, at most a few; empty when the tag is absent.
Result<std::vector<std::uint32_t>> values_of(const TiffDirectory& directory, std::uint16_t tag) {
  std::vector<std::uint32_t> values;
  const TiffTag* found = directory.find(tag);
  if (found == nullptr) return values;
  for (std::uint64_t i = 0; i < found->count && i <= kMostSamples; ++i) {
    const auto value = directory.integer(*found, i);
    if (!value || *value > 65535) return unsupported("a tag of an unexpected type");
    values.push_back(static_cast<std::uint32_t>(*value));
  }
  return values;
}

// Whether the tags that hold one number do so, if they are there.
bool numbers_are_integers(const TiffDirectory& directory) {
  for (const std::uint16_t tag :
       {tiff_tag::kCompression, tiff_tag::kPhotometric, tiff_tag::kFillOrder,
        tiff_tag::kSamplesPerPixel, tiff_tag::kRowsPerStrip, tiff_tag::kPlanarConfiguration}) {
    if (directory.find(tag) != nullptr && !directory.integer(tag)) return false;
  }
  return true;
}

struct SampleTags {
  std::uint64_t photometric;
  std::uint32_t format;  // 1 unsigned, 2 signed, 3 floating point
  std::uint64_t fill_order;
  std::vector<std::uint32_t> bits;
  std::vector<std::uint32_t> extra;
  bool big_endian;
};

bool all_equal(const std::vector<std::uint32_t>& values, std::uint32_t value) {
  return std::all_of(values.begin(), values.end(), [&](std::uint32_t v) { return v == value; });
}

// One sample a pixel, not a palette.
bool describe_gray(const SampleTags& tags, TiffLayout& layout) {
  const std::uint32_t bits = tags.bits[0];
  const bool black_is_zero = tags.photometric == 1;
  const bool plain = tags.fill_order == 1;
  layout.pixels = Pixels::kGray;
  layout.mode = Mode::kL;
  if (tags.format == 1 && (bits == 1 || bits == 2 || bits == 4 || bits == 8)) {
    layout.inverted = !black_is_zero;
    return true;
  }
  if (tags.format == 2 && bits == 8) return black_is_zero && plain;
  if (tags.format == 1 && bits == 12) {
    layout.pixels = Pixels::kGray12;
    layout.mode = Mode::kL16;
    return black_is_zero && plain && !tags.big_endian;
  }
  if (tags.format == 1 && bits == 16) {
    layout.mode = Mode::kL16;  // not inverted even where white is zero, as in Pillow
    return tags.big_endian ? black_is_zero && plain : black_is_zero || plain;
  }
  layout.is_signed = tags.format == 2;
  layout.pixels = tags.format == 3 ? Pixels::kFloat : Pixels::kInteger;
  if (tags.format == 2 && (bits == 16 || bits == 32)) return black_is_zero && plain;
  if (tags.format == 1 && bits == 32) return black_is_zero && plain && !tags.big_endian;
  return tags.format == 3 && bits == 32 && plain;
}

// Whether the extra samples from `first` on are all unspecified.
bool rest_unspecified(const std::vector<std::uint32_t>& extra, std::size_t first) {
  return std::all_of(extra.begin() + static_cast<std::ptrdiff_t>(std::min(first, extra.size())),
                     extra.end(), [](std::uint32_t e) { return e == 0; });
}

bool describe_colours(const SampleTags& tags, TiffLayout& layout) {
  const std::size_t samples = tags.bits.size(), extras = tags.extra.size();
  const bool deep = tags.bits[0] == 16;
  layout.pixels = Pixels::kColours;
  layout.mode = Mode::kRGB;
  if (samples == 3 && extras == 0) return tags.fill_order == 1 || !deep;
  if (tags.fill_order != 1 || samples < 3 || (deep && samples > 4)) return false;
  if (extras == 0 && samples == 4) {
    layout.mode = Mode::kRGBA;  // an alpha nobody announced
    layout.alpha = Alpha::kStraight;
    return true;
  }
  if (extras != samples - 3 || !rest_unspecified(tags.extra, 1)) return false;
  if (tags.extra[0] == 0) return true;
  layout.mode = Mode::kRGBA;
  layout.alpha = tags.extra[0] == 1 ? Alpha::kPremultiplied : Alpha::kStraight;
  constexpr std::uint32_t kCorelDrawAlpha = 999;
  return tags.extra[0] <= 2 || (tags.extra[0] == kCorelDrawAlpha && samples == 4 && !deep);
}

bool describe_pixels(const SampleTags& tags, TiffLayout& layout) {
  const std::size_t samples = tags.bits.size(), extras = tags.extra.size();
  const std::uint32_t bits = tags.bits[0];
  layout.bits = static_cast<int>(bits);
  if (!all_equal(tags.bits, bits) || tags.fill_order < 1 || tags.fill_order > 2) return false;
  layout.reversed_bits = tags.fill_order == 2;
  const bool whole_bytes = bits == 8 || bits == 16;
  if (samples == 1 && extras == 0 && tags.photometric <= 1) return describe_gray(tags, layout);
  if (tags.format != 1) return false;
  switch (tags.photometric) {
    case 1:
      if (samples != 2 || bits != 8 || extras != 1 || tags.fill_order != 1) return false;
      layout.pixels = Pixels::kColours;
      layout.mode = tags.extra[0] == 0 ? Mode::kL : Mode::kLA;
      layout.alpha = tags.extra[0] == 0   ? Alpha::kNone
                     : tags.extra[0] == 1 ? Alpha::kPremultiplied
                                          : Alpha::kStraight;
      return tags.extra[0] <= 2;
    case 2:
      return whole_bytes && describe_colours(tags, layout);
    case 3:
      layout.pixels = Pixels::kPalette;
      layout.mode = Mode::kRGB;
      if (samples == 1) return extras == 0 && (bits == 1 || bits == 2 || bits == 4 || bits == 8);
      if (samples != 2 || bits != 8 || extras != 1 || tags.fill_order != 1) return false;
      if (tags.extra[0] == 2) {
        layout.mode = Mode::kRGBA;
        layout.alpha = Alpha::kStraight;
      }
      return tags.extra[0] == 0 || tags.extra[0] == 2;
    case 5:
      layout.pixels = Pixels::kCmyk;
      layout.mode = Mode::kRGB;
      return tags.fill_order == 1 && (bits == 8 || (bits == 16 && samples == 4)) && samples >= 4 &&
             extras == samples - 4 && rest_unspecified(tags.extra, 0);
    case 6:
      layout.pixels = samples == 1 ? Pixels::kGray : Pixels::kYcbcr;
      layout.mode = samples == 1 ? Mode::kL : Mode::kRGB;
      return bits == 8 && extras == 0 && tags.fill_order == 1 && (samples == 1 || samples == 3);
    default:
      return false;
  }
}

Status describe_blocks(const TiffDirectory& directory, const DecodeLimits& limits,
                       TiffLayout& layout) {
  if (directory.find(tiff_tag::kStripOffsets) != nullptr) {
    const std::uint64_t rows =
        directory.integer(tiff_tag::kRowsPerStrip).value_or(layout.size.height);
    layout.block_width = layout.size.width;
    layout.block_height =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(rows, layout.size.height));
    if (rows == 0) return corrupt("tiff with empty strips");
    return Done{};
  }
  if (directory.find(tiff_tag::kTileOffsets) == nullptr) return corrupt("tiff without image data");
  const auto width = directory.integer(tiff_tag::kTileWidth);
  const auto height = directory.integer(tiff_tag::kTileLength);
  if (!width || !height) return corrupt("tiff without a tile size");
  if (Status size = check_size(Format::kTiff, *width, *height, limits); !size.ok()) return size;
  layout.tiled = true;
  layout.block_width = static_cast<std::uint32_t>(*width);
  layout.block_height = static_cast<std::uint32_t>(*height);
  return Done{};
}

std::uint64_t working_bytes(const TiffLayout& layout, std::uint64_t num_blocks,
                            std::uint64_t file_size) {
  std::uint64_t bytes = kCodecOverheadBytes + layout.size.width * std::uint64_t{16};
  const std::uint64_t block_pixels = std::uint64_t{layout.block_width} * layout.block_height;
  if (layout.separate_planes) {  // gathered into pixels of up to 4 samples first
    bytes += num_pixels(layout.size) * static_cast<std::uint64_t>(std::min(layout.num_samples, 4));
  }
  if (!layout.compressed()) return bytes;
  // The block, a row of predictor scratch, and the directory: its tags are copied, its offsets and
  // sizes widened to 8 bytes.
  bytes += layout.block_bytes() + 2 * layout.block_row_bytes() + 2 * file_size + 64 * num_blocks;
  if (layout.pixels == Pixels::kYcbcr) {  // a raster of whole rows
    bytes += std::uint64_t{layout.size.width} * layout.block_height * 4 + block_pixels * 4;
  }
  if (layout.compression == kTiffJpeg || layout.compression == kTiffOldJpeg) {
    bytes += block_pixels * static_cast<std::uint64_t>(layout.num_samples) * 3;  // coefficients
  }
  constexpr std::uint64_t kZstdWindow = std::uint64_t{129} << 20;
  if (layout.compression == kTiffZstd) bytes += kZstdWindow;
  constexpr std::uint64_t kWebp = 50001;
  if (layout.compression == kWebp) bytes += block_pixels * 10;
  return bytes;
}

}  // namespace

Result<TiffLayout> read_tiff_layout(const TiffDirectory& directory, const DecodeLimits& limits) {
  TiffLayout layout;
  const auto width = directory.integer(tiff_tag::kImageWidth);
  const auto height = directory.integer(tiff_tag::kImageLength);
  if (!width || !height) return corrupt("tiff without dimensions");
  if (const Status size = check_size(Format::kTiff, *width, *height, limits); !size.ok()) {
    return size.error();
  }
  layout.size = {static_cast<std::uint32_t>(*width), static_cast<std::uint32_t>(*height)};
  layout.compression = directory.integer(tiff_tag::kCompression).value_or(1);
  if (!is_known_compression(layout.compression)) {
    return unsupported("compression " + std::to_string(layout.compression));
  }

  SampleTags tags;
  tags.big_endian = directory.big_endian();
  tags.photometric = directory.integer(tiff_tag::kPhotometric).value_or(0);
  if (layout.compression == kTiffOldJpeg) tags.photometric = 6;
  tags.fill_order = directory.integer(tiff_tag::kFillOrder).value_or(1);
  auto bits = values_of(directory, tiff_tag::kBitsPerSample);
  auto extra = values_of(directory, tiff_tag::kExtraSamples);
  const auto formats = values_of(directory, tiff_tag::kSampleFormat);
  if (!bits.ok() || !extra.ok() || !formats.ok() || !numbers_are_integers(directory)) {
    return unsupported("a tag of an unexpected type");
  }
  tags.bits = bits->empty() ? std::vector<std::uint32_t>{1} : std::move(bits).value();
  tags.extra = std::move(extra).value();
  tags.format = formats->empty() ? 1 : formats->front();
  if (!all_equal(*formats, tags.format)) return unsupported("several sample formats");

  const bool old_jpeg = layout.compression == kTiffOldJpeg;
  const std::uint64_t stored =
      directory.integer(tiff_tag::kSamplesPerPixel).value_or(old_jpeg ? 3 : 1);
  if (stored == 0 || stored > kMostSamples) {
    return unsupported(std::to_string(stored) + " samples a pixel");
  }
  layout.separate_planes =
      directory.integer(tiff_tag::kPlanarConfiguration).value_or(1) == 2 && stored > 1;
  layout.num_samples = static_cast<int>(stored);
  std::size_t samples = stored;
  if (layout.separate_planes && !tags.extra.empty() && all_equal(tags.extra, 0)) {
    // Unspecified planes at the end are left unread.
    if (tags.extra.size() >= samples) return unsupported("no samples but extra ones");
    samples -= tags.extra.size();
    tags.bits.resize(tags.bits.size() - std::min(tags.bits.size() - 1, tags.extra.size()));
    tags.extra.clear();
  }
  if (tags.bits.size() > samples || tags.bits.size() == 1) tags.bits.resize(samples, tags.bits[0]);
  if (tags.bits.size() != samples || !describe_pixels(tags, layout)) {
    return unsupported("this combination of bits and samples");
  }
  if (const Status blocks = describe_blocks(directory, limits, layout); !blocks.ok()) {
    return blocks.error();
  }
  if (layout.separate_planes && (layout.pixels == Pixels::kPalette || layout.bits < 8)) {
    return unsupported("planes of this kind");
  }
  if (layout.pixels == Pixels::kPalette) {
    const TiffTag* map = directory.find(tiff_tag::kColourMap);
    if (map == nullptr || map->type != 3) return corrupt("tiff without its colour map");
  }
  return layout;
}

Result<ImageInfo> probe_tiff(Bytes bytes, const DecodeLimits& limits) {
  if (bytes.size() < 8) return decode_error(ErrorCode::kTruncated, "tiff header ends too soon");
  const auto directory = TiffDirectory::read(bytes, /*allow_bigtiff=*/true);
  if (!directory) return corrupt("tiff with a broken header");
  const auto layout = read_tiff_layout(*directory, limits);
  if (!layout.ok()) return layout.error();
  std::optional<Bytes> xmp;
  if (const TiffTag* tag = directory->find(tiff_tag::kXmp)) xmp = tag->data;
  const TiffTag* offsets =
      directory->find(layout->tiled ? tiff_tag::kTileOffsets : tiff_tag::kStripOffsets);
  ImageInfo info;
  info.format = Format::kTiff;
  info.size = layout->size;
  info.mode = layout->mode;
  info.orientation = orientation_of(*directory, xmp);
  info.decode_bytes =
      image_bytes(info.mode, info.size) + working_bytes(*layout, offsets->count, bytes.size());
  return info;
}

}  // namespace vecframe::image
