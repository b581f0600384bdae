#include "columnar/image_builder.h"

#include <array>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace vecframe::columnar {
namespace {

constexpr std::int64_t channels_of(std::uint8_t mode) {
  return mode >= 9 ? mode - 6 : (mode - 1) % 4 + 1;
}

// Owns the memory of one node; the structs of its children live here.
struct Exported {
  std::vector<GrowingBuffer> memory;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  ~Exported() {
    for (ArrowArray& child : children) {
      if (child.release != nullptr) child.release(&child);
    }
  }
};

void release(ArrowArray* array) {
  if (array->release == nullptr) return;
  delete static_cast<Exported*>(array->private_data);
  array->release = nullptr;
}

// A buffer of zero capacity stands for an absent one.
ArrowArray node(std::vector<GrowingBuffer> memory, std::int64_t length, std::int64_t null_count,
                std::vector<ArrowArray> children = {}) {
  auto exported = std::make_unique<Exported>();
  exported->memory = std::move(memory);
  for (const GrowingBuffer& buffer : exported->memory) exported->buffers.push_back(buffer.data());
  exported->children = std::move(children);
  for (ArrowArray& child : exported->children) exported->pointers.push_back(&child);
  ArrowArray out{};
  out.length = length;
  out.null_count = null_count;
  out.n_buffers = static_cast<std::int64_t>(exported->buffers.size());
  out.buffers = exported->buffers.data();
  out.n_children = static_cast<std::int64_t>(exported->children.size());
  out.children = exported->pointers.empty() ? nullptr : exported->pointers.data();
  out.release = &release;
  out.private_data = exported.release();
  return out;
}

std::vector<GrowingBuffer> buffers(GrowingBuffer first, GrowingBuffer second) {
  second.reserve(1);  // not every reader takes a null pointer for zero bytes
  std::vector<GrowingBuffer> both;
  both.push_back(std::move(first));
  both.push_back(std::move(second));
  return both;
}

template <class T>
T value_at(const ArrowArray& array, std::int64_t row) {
  return static_cast<const T*>(array.buffers[1])[array.offset + row];
}

}  // namespace

void ImageBuilder::mark(bool valid) {
  if (length_ % 8 == 0) validity_.append_zeros(1);
  if (valid) validity_.data()[length_ / 8] |= std::byte{1} << (length_ % 8);
  if (!valid) ++null_count_;
  ++length_;
}

void ImageBuilder::append_null() {
  if (type_.fixed()) {
    pixels_.append_zeros(std::size_t{type_.height} * type_.width *
                         static_cast<std::size_t>(channels_of(type_.mode)));
    return mark(false);
  }
  // Its fields are zero; the mode is L, as the reference stores it.
  append(1, 0, 0, 0, {});
  --length_;
  validity_.data()[length_ / 8] &= ~(std::byte{1} << (length_ % 8));
  ++length_;
  ++null_count_;
}

void ImageBuilder::append(std::uint8_t mode, std::uint16_t channels, std::uint32_t height,
                          std::uint32_t width, std::span<const std::uint8_t> pixels) {
  if (type_.fixed() && (mode != type_.mode || height != type_.height || width != type_.width))
    throw std::logic_error("a picture of another mode or size");
  pixels_.append(pixels.data(), pixels.size());
  if (!type_.fixed()) {
    if (offsets_.size() == 0) offsets_.append_zeros(sizeof(std::int64_t));
    const auto end = static_cast<std::int64_t>(pixels_.size());
    offsets_.append(&end, sizeof end);
    channels_.append(&channels, sizeof channels);
    heights_.append(&height, sizeof height);
    widths_.append(&width, sizeof width);
    modes_.append(&mode, sizeof mode);
  }
  mark(true);
}

void ImageBuilder::finish(ArrowArray* out) {
  ImageBuilder done(std::exchange(*this, ImageBuilder(type_)));
  const std::int64_t length = done.length_, nulls = done.null_count_;
  std::vector<GrowingBuffer> own;
  own.push_back(std::move(done.validity_));
  own.back().reserve(1);
  const auto num_pixels = static_cast<std::int64_t>(done.pixels_.size());
  ArrowArray bytes = node(buffers({}, std::move(done.pixels_)), num_pixels, 0);
  if (done.type_.fixed()) {
    *out = node(std::move(own), length, nulls, {bytes});
    return;
  }
  if (done.offsets_.size() == 0) done.offsets_.append_zeros(sizeof(std::int64_t));
  std::vector<ArrowArray> fields{node(buffers({}, std::move(done.offsets_)), length, 0, {bytes}),
                                 node(buffers({}, std::move(done.channels_)), length, 0),
                                 node(buffers({}, std::move(done.heights_)), length, 0),
                                 node(buffers({}, std::move(done.widths_)), length, 0),
                                 node(buffers({}, std::move(done.modes_)), length, 0)};
  *out = node(std::move(own), length, nulls, std::move(fields));
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
