#include "exec/vector_column.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "columnar/array_view.h"
#include "columnar/batch.h"
#include "plan/vector_functions.h"
#include "search/distances.h"

namespace vecframe::exec {
namespace {

using columnar::Morsel;
using columnar::Schema;

// The vectors of a column, or one literal for all rows.
class Vectors {
 public:
  Vectors(const plan::ExpressionNode& node, const Schema& schema) {
    if (const auto* literal = std::get_if<plan::LiteralValue>(&node.value)) {
      literal_ = std::get<std::vector<double>>(literal->value);
      // Most query vectors were float32 before they were literals, and are read as fast as such.
      narrow_.assign(literal_.begin(), literal_.end());
      is_wide_ = !std::equal(literal_.begin(), literal_.end(), narrow_.begin(),
                             [](double a, float b) { return a == b; });
      return;
    }
    const std::string& name = std::get<plan::ColumnReference>(node.value).name;
    column_ = schema.find(name);
    const columnar::DataType& type = schema.fields[static_cast<std::size_t>(column_)].type;
    element_ = *plan::vector_element(type);
    length_ = *plan::vector_length(type);
    is_wide_ = element_ == 'g';
  }

  bool is_wide() const { return is_wide_; }

  /// To be called for each morsel.
  void open(const Morsel& morsel) {
    if (column_ >= 0) array_ = morsel.columns[static_cast<std::size_t>(column_)].get();
  }

  bool has_value(std::int64_t row) const {
    if (column_ < 0) return true;
    if (!columnar::is_valid(*array_, row)) return false;
    const ArrowArray& values = *array_->children[0];
    if (values.null_count == 0 || values.n_buffers == 0 || values.buffers[0] == nullptr)
      return true;
    for (std::int64_t i = 0; i < length_; ++i)
      if (!columnar::is_valid(values, (array_->offset + row) * length_ + i)) return false;
    return true;
  }

  std::span<const float> narrow(std::int64_t row) {
    if (column_ < 0) return narrow_;
    if (element_ == 'f') return {at<float>(row), static_cast<std::size_t>(length_)};
    narrow_.resize(static_cast<std::size_t>(length_));
    widen(row, narrow_);
    return narrow_;
  }

  std::span<const double> wide(std::int64_t row) {
    if (column_ < 0) return literal_;
    if (element_ == 'g') return {at<double>(row), static_cast<std::size_t>(length_)};
    literal_.resize(static_cast<std::size_t>(length_));
    widen(row, literal_);
    return literal_;
  }

 private:
  template <class T>
  const T* at(std::int64_t row) const {
    const ArrowArray& values = *array_->children[0];
    return static_cast<const T*>(values.buffers[1]) + values.offset +
           (array_->offset + row) * length_;
  }

  template <class To>
  void widen(std::int64_t row, std::vector<To>& to) const {
    for (std::size_t i = 0; i < to.size(); ++i) {
      if (element_ == 'f') to[i] = at<float>(row)[i];
      if (element_ == 'e') to[i] = tensor::f16_to_float(at<std::uint16_t>(row)[i]);
      if (element_ == 'c') to[i] = at<std::int8_t>(row)[i];
    }
  }

  int column_ = -1;
  char element_ = 'g';  // as Arrow writes it: f, e, g, c
  std::int64_t length_ = 0;
  bool is_wide_ = false;
  const ArrowArray* array_ = nullptr;
  std::vector<double> literal_;  // or scratch
  std::vector<float> narrow_;    // likewise
};

enum class Measure : std::uint8_t { kCosineDistance, kCosineSimilarity, kDot, kEuclidean };

Measure measure_of(const std::string& function) {
  if (function == "cosine_distance") return Measure::kCosineDistance;
  if (function == "cosine_similarity") return Measure::kCosineSimilarity;
  return function == "dot_product" ? Measure::kDot : Measure::kEuclidean;
}

template <class T>
double measure(Measure what, std::span<const T> x, std::span<const T> y) {
  switch (what) {
    case Measure::kCosineDistance:
      return 1 - search::cosine_similarity(search::products_of(x, y));
    case Measure::kCosineSimilarity:
      return search::cosine_similarity(search::products_of(x, y));
    case Measure::kDot:
      return search::products_of(x, y).xy;
    case Measure::kEuclidean:
      break;
  }
  return std::sqrt(search::squared_distance(x, y));
}

columnar::ArrayPointer finished(columnar::ColumnBuilder& builder) {
  ArrowArray array;
  builder.finish(&array);
  return columnar::share(array);
}

class VectorFunction {
 public:
  virtual ~VectorFunction() = default;
  virtual columnar::ArrayPointer compute(const Morsel& morsel) = 0;
};

class MeasureFunction final : public VectorFunction {
 public:
  MeasureFunction(const plan::FunctionCall& call, const Schema& schema)
      : what_(measure_of(call.name)),
        x_(*call.arguments[0], schema),
        y_(*call.arguments[1], schema),
        is_wide_(x_.is_wide() || y_.is_wide()) {}

  columnar::ArrayPointer compute(const Morsel& morsel) override {
    x_.open(morsel);
    y_.open(morsel);
    columnar::ColumnBuilder builder({columnar::TypeKind::kFloat64});
    for (std::int64_t row = 0; row < morsel.num_rows; ++row) {
      if (!x_.has_value(row) || !y_.has_value(row)) {
        builder.append_null();
      } else {
        builder.append(is_wide_ ? measure(what_, x_.wide(row), y_.wide(row))
                                : measure(what_, x_.narrow(row), y_.narrow(row)));
      }
    }
    return finished(builder);
  }

 private:
  const Measure what_;
  Vectors x_, y_;
  const bool is_wide_;
};

class NormalizeFunction final : public VectorFunction {
 public:
  NormalizeFunction(const plan::FunctionCall& call, const Schema& schema, columnar::DataType type)
      : vectors_(*call.arguments[0], schema), type_(std::move(type)) {}

  columnar::ArrayPointer compute(const Morsel& morsel) override {
    vectors_.open(morsel);
    columnar::ColumnBuilder builder(type_);
    std::vector<float> unit(static_cast<std::size_t>(type_.dimension));
    for (std::int64_t row = 0; row < morsel.num_rows; ++row) {
      if (!vectors_.has_value(row)) {
        builder.append_null();
        continue;
      }
      const std::span<const double> vector = vectors_.wide(row);
      const double norm = std::sqrt(search::products_of(vector, vector).xx);
      for (std::size_t i = 0; i < unit.size(); ++i)
        unit[i] = static_cast<float>(norm == 0 ? 0 : vector[i] / norm);
      builder.append(std::span<const float>(unit));
    }
    return finished(builder);
  }

 private:
  Vectors vectors_;
  const columnar::DataType type_;
};

// The bytes of a column of hashes, or of a literal.
class Hashes {
 public:
  Hashes(const plan::ExpressionNode& node, const Schema& schema) {
    if (const auto* literal = std::get_if<plan::LiteralValue>(&node.value)) {
      for (const double value : std::get<std::vector<double>>(literal->value))
        literal_.push_back(static_cast<std::byte>(value));
      return;
    }
    column_ = schema.find(std::get<plan::ColumnReference>(node.value).name);
    type_ = schema.fields[static_cast<std::size_t>(column_)].type;
  }
  bool has_value(const Morsel& morsel, std::int64_t row) const {
    return column_ < 0 || columnar::is_valid(array_of(morsel), row);
  }
  std::span<const std::byte> at(const Morsel& morsel, std::int64_t row) const {
    if (column_ < 0) return literal_;
    const std::string_view bytes = columnar::text_at(array_of(morsel), row, type_);
    return std::as_bytes(std::span(bytes));
  }

 private:
  const ArrowArray& array_of(const Morsel& morsel) const {
    return *morsel.columns[static_cast<std::size_t>(column_)];
  }
  int column_ = -1;
  columnar::DataType type_;
  std::vector<std::byte> literal_;
};

class HammingFunction final : public VectorFunction {
 public:
  HammingFunction(const plan::FunctionCall& call, const Schema& schema)
      : x_(*call.arguments[0], schema), y_(*call.arguments[1], schema) {}

  columnar::ArrayPointer compute(const Morsel& morsel) override {
    columnar::ColumnBuilder builder({columnar::TypeKind::kUInt32});
    for (std::int64_t row = 0; row < morsel.num_rows; ++row) {
      if (x_.has_value(morsel, row) && y_.has_value(morsel, row)) {
        builder.append(search::hamming_distance(x_.at(morsel, row), y_.at(morsel, row)));
      } else {
        builder.append_null();
      }
    }
    return finished(builder);
  }

 private:
  Hashes x_, y_;
};

std::unique_ptr<VectorFunction> make_function(const plan::VectorStep& step, const Schema& schema) {
  if (step.call.name == "l2_normalize")
    return std::make_unique<NormalizeFunction>(step.call, schema, step.type);
  if (step.call.name == "hamming_distance")
    return std::make_unique<HammingFunction>(step.call, schema);
  return std::make_unique<MeasureFunction>(step.call, schema);
}

class VectorColumn final : public Operator {
 public:
  VectorColumn(std::unique_ptr<Operator> input, std::unique_ptr<VectorFunction> function)
      : input_(std::move(input)), function_(std::move(function)) {}

  std::optional<Morsel> next() override {
    std::optional<Morsel> morsel = input_->next();
    if (morsel) morsel->columns.push_back(function_->compute(*morsel));
    return morsel;
  }

 private:
  const std::unique_ptr<Operator> input_;
  const std::unique_ptr<VectorFunction> function_;
};

}  // namespace

std::unique_ptr<Operator> make_vector_column(std::unique_ptr<Operator> input,
                                             const Schema& input_schema,
                                             const plan::VectorStep& step) {
  return std::make_unique<VectorColumn>(std::move(input), make_function(step, input_schema));
}

}  // namespace vecframe::exec
