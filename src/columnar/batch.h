// Columns of equal length, owned, in the layout of the Arrow C Data interface.
#pragma once

#include <vecframe/arrow_c.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "columnar/schema.h"

namespace vecframe::columnar {

/// Values of one column under construction. Every append adds one row.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(DataType type);
  ~ColumnBuilder();
  ColumnBuilder(ColumnBuilder&&) noexcept;
  ColumnBuilder& operator=(ColumnBuilder&&) noexcept;

  void append_null();
  /// kString. Bytes that are not UTF-8 become U+FFFD, so that the column stays a valid one.
  void append(std::string_view value);
  void append(std::span<const std::byte> value);  // kBinary
  void append_boolean(bool value);                // kBoolean
  void append(double value);                      // kFloat64
  void append(std::int64_t value);                // kInt64
  void append(std::uint32_t value);               // kUInt32
  void append(std::span<const float> value);      // kEmbedding, exactly `dimension`; rounds to f16
  std::int64_t length() const;
  /// Bytes of values held so far.
  std::int64_t bytes() const;
  /// Moves the values into `out`, which the receiver releases; the builder is empty afterwards.
  void finish(ArrowArray* out);

 private:
  struct Buffers;
  void append_string(std::string_view value, bool valid);
  DataType type_;
  std::unique_ptr<Buffers> buffers_;
};

/// A finished batch: a struct array. Move-only; releases itself.
class Batch {
 public:
  Batch() = default;
  /// Takes the columns' values; all columns must have one length.
  Batch(std::shared_ptr<const Schema> schema, std::vector<ColumnBuilder>& columns);
  /// Takes over a struct array of that schema.
  Batch(std::shared_ptr<const Schema> schema, ArrowArray array)
      : schema_(std::move(schema)), array_(array) {}
  ~Batch() { reset(); }
  Batch(Batch&& other) noexcept;
  Batch& operator=(Batch&& other) noexcept;

  const std::shared_ptr<const Schema>& schema() const { return schema_; }
  std::int64_t num_rows() const { return array_.release == nullptr ? 0 : array_.length; }
  /// The struct array; valid while the batch is.
  const ArrowArray& array() const { return array_; }
  /// Moves the arrays to the receiver, who releases them; the batch is empty afterwards.
  ArrowArray release_array();

 private:
  void reset();
  std::shared_ptr<const Schema> schema_;
  ArrowArray array_{};
};

/// Batches as an Arrow C Stream; the receiver releases it.
void export_stream(std::shared_ptr<const Schema> schema, std::vector<Batch> batches,
                   ArrowArrayStream* out);

}  // namespace vecframe::columnar
