#include "exec/column_of_values.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "columnar/batch.h"
#include "columnar/fixed_bytes_builder.h"
#include "columnar/image_builder.h"
#include "columnar/tensor_column.h"

namespace vecframe::exec {
namespace {

using columnar::TypeKind;

class PlainColumn final : public ValueColumn {
 public:
  explicit PlainColumn(columnar::DataType type) : builder_(std::move(type)) {}

  void append(const RowValue& value) override {
    struct Visitor {
      columnar::ColumnBuilder& builder;
      void operator()(std::monostate) const { builder.append_null(); }
      void operator()(std::string_view text) const { builder.append(text); }
      void operator()(const RowBytes& bytes) const { builder.append(bytes.view); }
      void operator()(const image::Image&) const {
        throw std::logic_error("a picture for a column of another type");
      }
      void operator()(std::uint32_t number) const { builder.append(number); }
      void operator()(double number) const { builder.append(number); }
      void operator()(const std::vector<float>& vector) const {
        builder.append(std::span<const float>(vector));
      }
      void operator()(const std::vector<std::int64_t>&) const {
        throw std::logic_error("a list for a column of another type");
      }
    };
    std::visit(Visitor{builder_}, value);
  }

  columnar::ArrayPointer finish() override {
    ArrowArray array;
    builder_.finish(&array);
    return columnar::share(array);
  }

 private:
  columnar::ColumnBuilder builder_;
};

// Hashes: so many bytes a row.
class FixedBytesColumn final : public ValueColumn {
 public:
  explicit FixedBytesColumn(std::size_t size) : builder_(size) {}

  void append(const RowValue& value) override {
    if (is_null(value)) return builder_.append_null();
    builder_.append(std::get<RowBytes>(value).view);
  }

  columnar::ArrayPointer finish() override {
    ArrowArray array;
    builder_.finish(&array);
    return columnar::share(array);
  }

 private:
  columnar::FixedBytesBuilder builder_;
};

class ImageColumn final : public ValueColumn {
 public:
  explicit ImageColumn(columnar::ImageType type) : builder_(type) {}

  void append(const RowValue& value) override {
    if (is_null(value)) return builder_.append_null();
    const auto& picture = std::get<image::Image>(value);
    builder_.append(static_cast<std::uint8_t>(picture.mode()),
                    static_cast<std::uint16_t>(num_channels(picture.mode())), picture.height(),
                    picture.width(), picture.pixels());
  }

  columnar::ArrayPointer finish() override {
    ArrowArray array;
    builder_.finish(&array);
    return columnar::share(array);
  }

 private:
  columnar::ImageBuilder builder_;
};

class TensorColumn final : public ValueColumn {
 public:
  explicit TensorColumn(const columnar::DataType& type) : builder_(type) {}

  void append(const RowValue& value) override {
    if (is_null(value)) return builder_.append_null();
    const auto& picture = std::get<image::Image>(value);
    builder_.append(static_cast<std::int32_t>(picture.height()),
                    static_cast<std::int32_t>(picture.width()), num_channels(picture.mode()),
                    picture.pixels());
  }

  columnar::ArrayPointer finish() override {
    ArrowArray array;
    builder_.finish(&array);
    return columnar::share(array);
  }

 private:
  columnar::TensorBuilder builder_;
};

}  // namespace

std::unique_ptr<ValueColumn> make_value_column(const columnar::DataType& type) {
  if (columnar::is_tensor(type)) return std::make_unique<TensorColumn>(type);
  if (type.kind == TypeKind::kImage) return std::make_unique<ImageColumn>(type.image);
  if (type.kind == TypeKind::kBinary && type.foreign && type.foreign->format().starts_with("w:"))
    return std::make_unique<FixedBytesColumn>(
        static_cast<std::size_t>(std::atoll(type.foreign->format().c_str() + 2)));
  return std::make_unique<PlainColumn>(type);
}

}  // namespace vecframe::exec
