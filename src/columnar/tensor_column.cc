#include "columnar/tensor_column.h"

#include <array>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "columnar/key_value_metadata.h"

namespace vecframe::columnar {
namespace {

constexpr const char* kFixed = "arrow.fixed_shape_tensor";
constexpr const char* kVaried = "arrow.variable_shape_tensor";

// A node of a type's tree, whose parts outlive it.
ArrowSchema schema_node(const char* format, const char* name, std::span<ArrowSchema*> children) {
  ArrowSchema node{};
  node.format = format;
  node.name = name;
  node.flags = ARROW_FLAG_NULLABLE;  // as Arrow's own implementation makes them
  node.n_children = static_cast<std::int64_t>(children.size());
  node.children = children.empty() ? nullptr : children.data();
  return node;
}

DataType described(ArrowSchema schema, const std::string& name, const nlohmann::json& facts) {
  const std::string metadata = encode_metadata(extension_metadata(name, facts.dump()));
  schema.metadata = metadata.data();
  return import_type(schema);
}

DataType varied_type(std::uint8_t mode) {
  ArrowSchema byte = schema_node("C", "item", {}), number = schema_node("i", "item", {});
  std::array<ArrowSchema*, 1> bytes{&byte}, numbers{&number};
  ArrowSchema data = schema_node("+l", "data", bytes),
              shape = schema_node("+w:3", "shape", numbers);
  std::array<ArrowSchema*, 2> fields{&data, &shape};
  nlohmann::json facts = nlohmann::json::object();
  if (mode != 0) facts["uniform_shape"] = {nullptr, nullptr, channels_of(mode)};
  return described(schema_node("+s", "", fields), kVaried, facts);
}

}  // namespace

DataType tensor_type(const ImageType& image) {
  if (!image.fixed()) return varied_type(image.mode);
  ArrowSchema byte = schema_node("C", "item", {});
  std::array<ArrowSchema*, 1> bytes{&byte};
  const std::int64_t channels = channels_of(image.mode);
  const std::string format =
      "+w:" + std::to_string(std::int64_t{image.height} * image.width * channels);
  return described(schema_node(format.c_str(), "", bytes), kFixed,
                   {{"shape", {image.height, image.width, channels}}});
}

bool is_tensor(const DataType& type) {
  if (!type.foreign) return false;
  const std::string name = type.foreign->extension_name();
  return name == kFixed || name == kVaried;
}

TensorBuilder::TensorBuilder(const DataType& type)
    : fixed_bytes_(type.foreign->format() == "+s"
                       ? 0
                       : std::atoll(type.foreign->format().c_str() + std::string("+w:").size())) {}

void TensorBuilder::append_null() {
  if (fixed_bytes_ != 0) {
    pixels_.append_zeros(static_cast<std::size_t>(fixed_bytes_));
  } else {
    append_shape({});
  }
  validity_.append(false);
}

void TensorBuilder::append(std::int32_t height, std::int32_t width, std::int32_t channels,
                           std::span<const std::uint8_t> pixels) {
  if (fixed_bytes_ != 0 && fixed_bytes_ != static_cast<std::int64_t>(pixels.size()))
    throw std::logic_error("a tensor of another shape");
  pixels_.append(pixels.data(), pixels.size());
  if (fixed_bytes_ == 0) append_shape({height, width, channels});
  validity_.append(true);
}

// The shape of what was appended to pixels_, and where that ends.
void TensorBuilder::append_shape(const std::array<std::int32_t, 3>& shape) {
  if (pixels_.size() > std::size_t{std::numeric_limits<std::int32_t>::max()})
    throw std::length_error("tensors of more than 2 GiB in one batch");
  if (offsets_.size() == 0) offsets_.append_zeros(sizeof(std::int32_t));
  const auto end = static_cast<std::int32_t>(pixels_.size());
  offsets_.append(&end, sizeof end);
  shapes_.append(shape.data(), sizeof shape);
}

void TensorBuilder::finish(ArrowArray* out) {
  const std::int64_t rows = validity_.length(), nulls = validity_.null_count();
  const auto num_pixels = static_cast<std::int64_t>(pixels_.size());
  if (offsets_.size() == 0) offsets_.append_zeros(sizeof(std::int32_t));
  std::vector<GrowingBuffer> bits = std::exchange(validity_, {}).take();
  ArrowArray bytes = array_node(array_buffers({}, std::exchange(pixels_, {})), num_pixels, 0);
  GrowingBuffer offsets = std::exchange(offsets_, {}), shapes = std::exchange(shapes_, {});
  if (fixed_bytes_ != 0) {
    *out = array_node(std::move(bits), rows, nulls, {bytes});
    return;
  }
  ArrowArray numbers = array_node(array_buffers({}, std::move(shapes)), 3 * rows, 0);
  std::vector<GrowingBuffer> none(1);
  std::vector<ArrowArray> fields{
      array_node(array_buffers({}, std::move(offsets)), rows, 0, {bytes}),
      array_node(std::move(none), rows, 0, {numbers})};
  *out = array_node(std::move(bits), rows, nulls, std::move(fields));
}

}  // namespace vecframe::columnar
