#include "columnar/image_builder.h"

#include <stdexcept>
#include <utility>
#include <vector>

namespace vecframe::columnar {
namespace {

template <class T>
T value_at(const ArrowArray& array, std::int64_t row) {
  return static_cast<const T*>(array.buffers[1])[array.offset + row];
}

}  // namespace

void ImageBuilder::append_null() {
  if (type_.fixed()) {
    pixels_.append_zeros(std::size_t{type_.height} * type_.width *
                         static_cast<std::size_t>(channels_of(type_.mode)));
  } else {
    append_fields(1, 0, 0, 0);  // zeros, and mode L, as the reference stores it
  }
  validity_.append(false);
}

void ImageBuilder::append(std::uint8_t mode, std::uint16_t channels, std::uint32_t height,
                          std::uint32_t width, std::span<const std::uint8_t> pixels) {
  if (type_.fixed() && (mode != type_.mode || height != type_.height || width != type_.width))
    throw std::logic_error("a picture of another mode or size");
  pixels_.append(pixels.data(), pixels.size());
  if (!type_.fixed()) append_fields(mode, channels, height, width);
  validity_.append(true);
}

// Of what was appended to pixels_, and where that ends.
void ImageBuilder::append_fields(std::uint8_t mode, std::uint16_t channels, std::uint32_t height,
                                 std::uint32_t width) {
  if (offsets_.size() == 0) offsets_.append_zeros(sizeof(std::int64_t));
  const auto end = static_cast<std::int64_t>(pixels_.size());
  offsets_.append(&end, sizeof end);
  channels_.append(&channels, sizeof channels);
  heights_.append(&height, sizeof height);
  widths_.append(&width, sizeof width);
  modes_.append(&mode, sizeof mode);
}

void ImageBuilder::finish(ArrowArray* out) {
  ImageBuilder done(std::exchange(*this, ImageBuilder(type_)));
  const std::int64_t length = done.validity_.length(), nulls = done.validity_.null_count();
  std::vector<GrowingBuffer> own = done.validity_.take();
  const auto num_pixels = static_cast<std::int64_t>(done.pixels_.size());
  ArrowArray bytes = array_node(array_buffers({}, std::move(done.pixels_)), num_pixels, 0);
  if (done.type_.fixed()) {
    *out = array_node(std::move(own), length, nulls, {bytes});
    return;
  }
  if (done.offsets_.size() == 0) done.offsets_.append_zeros(sizeof(std::int64_t));
  const auto field = [length](GrowingBuffer values, std::vector<ArrowArray> children = {}) {
    return array_node(array_buffers({}, std::move(values)), length, 0, std::move(children));
  };
  std::vector<ArrowArray> fields{field(std::move(done.offsets_), {bytes}),
                                 field(std::move(done.channels_)), field(std::move(done.heights_)),
                                 field(std::move(done.widths_)), field(std::move(done.modes_))};
  *out = array_node(std::move(own), length, nulls, std::move(fields));
}

ImageView image_at(const ArrowArray& array, std::int64_t row, const ImageType& type) {
  ImageView view;
  if (type.fixed()) {
    view = {type.mode, type.height, type.width, {}};
    const std::int64_t size = std::int64_t{type.height} * type.width * channels_of(type.mode);
    const ArrowArray& bytes = *array.children[0];
    view.pixels = {static_cast<const std::uint8_t*>(bytes.buffers[1]) + bytes.offset +
                       (array.offset + row) * size,
                   static_cast<std::size_t>(size)};
    return view;
  }
  const std::int64_t at = array.offset + row;
  view.height = value_at<std::uint32_t>(*array.children[2], at);
  view.width = value_at<std::uint32_t>(*array.children[3], at);
  view.mode = value_at<std::uint8_t>(*array.children[4], at);
  const ArrowArray& data = *array.children[0];
  const auto* offsets = static_cast<const std::int64_t*>(data.buffers[1]) + data.offset + at;
  const ArrowArray& bytes = *data.children[0];
  view.pixels = {static_cast<const std::uint8_t*>(bytes.buffers[1]) + bytes.offset + offsets[0],
                 static_cast<std::size_t>(offsets[1] - offsets[0])};
  return view;
}

}  // namespace vecframe::columnar
