#include <vecframe/error.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>

#include "columnar/batch.h"
#include "columnar/growing_buffer.h"
#include "columnar/utf8.h"
#include "tensor/dtype.h"

namespace vecframe::columnar {

struct ColumnBuilder::Buffers {
  GrowingBuffer validity;  // one bit a row, least significant first; empty until the first null
  GrowingBuffer offsets;   // kString: int32, rows + 1
  GrowingBuffer values;
  std::int64_t length = 0;
  std::int64_t null_count = 0;

  // The value of the row that mark() adds next: one bit a row too.
  void append_bit(bool value) {
    if (length % 8 == 0) values.append_zeros(1);
    if (value) values.data()[length / 8] |= std::byte{1} << (length % 8);
  }

  void mark(bool valid) {
    if (!valid && null_count++ == 0) {
      for (std::int64_t row = 0; row < length; ++row) set_bit(row, true);
    }
    if (null_count > 0) set_bit(length, valid);
    ++length;
  }

 private:
  void set_bit(std::int64_t row, bool valid) {
    if (row % 8 == 0) validity.append_zeros(1);
    if (valid) validity.data()[row / 8] |= std::byte{1} << (row % 8);
  }
};

namespace {

// Owns what an exported ArrowArray points to. As with schemas, a child's struct lives in its parent
// and what it points to is its own.
struct Exported {
  GrowingBuffer memory[3];
  const void* buffers[3] = {};
  ArrowArray child{};
  ArrowArray* children[1] = {&child};
};

void release(ArrowArray* array) {
  if (array->release == nullptr) return;
  auto* exported = static_cast<Exported*>(array->private_data);
  if (exported->child.release != nullptr) exported->child.release(&exported->child);
  delete exported;
  array->release = nullptr;
}

// `exported` holds the memory; buffer i is exported->memory[i], null for an absent validity bitmap.
void export_array(std::unique_ptr<Exported> exported, std::int64_t length, std::int64_t null_count,
                  std::int64_t n_buffers, std::int64_t n_children, ArrowArray* out) {
  for (std::int64_t i = 0; i < n_buffers; ++i) exported->buffers[i] = exported->memory[i].data();
  *out = {};
  out->length = length;
  out->null_count = null_count;
  out->n_buffers = n_buffers;
  out->n_children = n_children;
  out->buffers = exported->buffers;
  out->children = n_children == 0 ? nullptr : exported->children;
  out->release = &release;
  out->private_data = exported.release();
}

void expect(bool right, const char* message) {
  if (!right) throw std::logic_error(message);
}

}  // namespace

ColumnBuilder::ColumnBuilder(DataType type) : type_(type), buffers_(std::make_unique<Buffers>()) {
  expect(type.kind != TypeKind::kImage && type.kind != TypeKind::kOther && !type.foreign,
         "a column of this type is not built here");
  expect(type.kind != TypeKind::kEmbedding || (type.dimension > 0 && type.dimension <= INT32_MAX),
         "an embedding column needs a dimension");
  expect(type.element == tensor::DType::kF32 || type.element == tensor::DType::kF16,
         "an embedding column is float32 or float16");
}

ColumnBuilder::~ColumnBuilder() = default;
ColumnBuilder::ColumnBuilder(ColumnBuilder&&) noexcept = default;
ColumnBuilder& ColumnBuilder::operator=(ColumnBuilder&&) noexcept = default;

void ColumnBuilder::append_null() {
  switch (type_.kind) {
    case TypeKind::kString:
    case TypeKind::kBinary:
      return append_string({}, /*valid=*/false);
    case TypeKind::kBoolean:
      buffers_->append_bit(false);
      break;
    case TypeKind::kFloat64:
      buffers_->values.append_zeros(sizeof(double));
      break;
    case TypeKind::kInt64:
      buffers_->values.append_zeros(sizeof(std::int64_t));
      break;
    case TypeKind::kUInt32:
      buffers_->values.append_zeros(sizeof(std::uint32_t));
      break;
    case TypeKind::kEmbedding:
      // A list of fixed size has its slots whether it is null or not.
      buffers_->values.append_zeros(static_cast<std::size_t>(type_.dimension) *
                                    tensor::size_of(type_.element));
      break;
    case TypeKind::kImage:
    case TypeKind::kOther:
      break;
  }
  buffers_->mark(false);
}

void ColumnBuilder::append(std::string_view value) {
  expect(type_.kind == TypeKind::kString, "a string for a column of another type");
  if (is_valid_utf8(value)) return append_string(value, /*valid=*/true);
  append_string(to_utf8_lossy(value), /*valid=*/true);
}

void ColumnBuilder::append_string(std::string_view value, bool valid) {
  Buffers& b = *buffers_;
  const std::size_t end = b.values.size() + value.size();
  if (end > std::numeric_limits<std::int32_t>::max()) {
    throw RunError("a batch of strings exceeds 2 GiB");
  }
  const auto offset = static_cast<std::int32_t>(end);
  if (b.offsets.size() == 0) b.offsets.append_zeros(sizeof offset);
  b.offsets.append(&offset, sizeof offset);
  b.values.append(value.data(), value.size());
  b.mark(valid);
}

void ColumnBuilder::append(std::span<const std::byte> value) {
  expect(type_.kind == TypeKind::kBinary, "bytes for a column of another type");
  append_string({reinterpret_cast<const char*>(value.data()), value.size()}, /*valid=*/true);
}

void ColumnBuilder::append_boolean(bool value) {
  expect(type_.kind == TypeKind::kBoolean, "a boolean for a column of another type");
  buffers_->append_bit(value);
  buffers_->mark(true);
}

void ColumnBuilder::append(double value) {
  expect(type_.kind == TypeKind::kFloat64, "a float64 for a column of another type");
  buffers_->values.append(&value, sizeof value);
  buffers_->mark(true);
}

void ColumnBuilder::append(std::int64_t value) {
  expect(type_.kind == TypeKind::kInt64, "an int64 for a column of another type");
  buffers_->values.append(&value, sizeof value);
  buffers_->mark(true);
}

void ColumnBuilder::append(std::uint32_t value) {
  expect(type_.kind == TypeKind::kUInt32, "a uint32 for a column of another type");
  buffers_->values.append(&value, sizeof value);
  buffers_->mark(true);
}

void ColumnBuilder::append(std::span<const float> value) {
  expect(type_.kind == TypeKind::kEmbedding, "a vector for a column of another type");
  expect(value.size() == static_cast<std::size_t>(type_.dimension),
         "a vector of another dimension");
  if (type_.element == tensor::DType::kF16) {
    for (const float element : value) {
      const std::uint16_t half = tensor::float_to_f16(element);
      buffers_->values.append(&half, sizeof half);
    }
  } else {
    buffers_->values.append(value.data(), value.size_bytes());
  }
  buffers_->mark(true);
}

std::int64_t ColumnBuilder::length() const { return buffers_->length; }

std::int64_t ColumnBuilder::bytes() const {
  const Buffers& b = *buffers_;
  return static_cast<std::int64_t>(b.validity.size() + b.offsets.size() + b.values.size());
}

void ColumnBuilder::finish(ArrowArray* out) {
  auto fresh = std::make_unique<Buffers>();
  auto exported = std::make_unique<Exported>();
  Buffers& b = *buffers_;
  const std::int64_t length = b.length, null_count = b.null_count;
  // Empty columns too have buffers: not every reader takes a null pointer for zero bytes.
  b.values.reserve(1);
  if (type_.kind == TypeKind::kEmbedding) {
    auto child = std::make_unique<Exported>();
    child->memory[1] = std::move(b.values);
    export_array(std::move(child), length * type_.dimension, /*null_count=*/0, /*n_buffers=*/2,
                 /*n_children=*/0, &exported->child);
    exported->memory[0] = std::move(b.validity);
    export_array(std::move(exported), length, null_count, /*n_buffers=*/1, /*n_children=*/1, out);
  } else if (type_.kind == TypeKind::kString || type_.kind == TypeKind::kBinary) {
    if (b.offsets.size() == 0) b.offsets.append_zeros(sizeof(std::int32_t));
    exported->memory[0] = std::move(b.validity);
    exported->memory[1] = std::move(b.offsets);
    exported->memory[2] = std::move(b.values);
    export_array(std::move(exported), length, null_count, /*n_buffers=*/3, /*n_children=*/0, out);
  } else {
    exported->memory[0] = std::move(b.validity);
    exported->memory[1] = std::move(b.values);
    export_array(std::move(exported), length, null_count, /*n_buffers=*/2, /*n_children=*/0, out);
  }
  buffers_ = std::move(fresh);
}

}  // namespace vecframe::columnar
