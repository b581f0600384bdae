#include "plan/vector_functions.h"

#include <fmt/format.h>
#include <vecframe/error.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace vecframe::plan {
namespace {

using columnar::DataType;
using columnar::TypeKind;

std::string describe_argument(const FunctionCall& call, const std::vector<DataType>& types,
                              std::size_t index) {
  const std::string text = to_string(*call.arguments[index]);
  return std::holds_alternative<LiteralValue>(call.arguments[index]->value)
             ? text
             : text + " of type " + types[index].to_string();
}

const std::vector<double>* literal_vector(const ExpressionNode& node) {
  const auto* literal = std::get_if<LiteralValue>(&node.value);
  return literal == nullptr ? nullptr : std::get_if<std::vector<double>>(&literal->value);
}

// Values of a vector argument: of a column, or of a literal.
std::int64_t vector_argument(const FunctionCall& call, const std::vector<DataType>& types,
                             std::size_t index) {
  if (const auto* literal = literal_vector(*call.arguments[index]))
    return static_cast<std::int64_t>(literal->size());
  if (const auto length = vector_length(types[index])) return *length;
  throw RequestError(fmt::format(
      "{}: argument {} is no vector; give an Embedding, a FixedSizeList of Float32, Float16, "
      "Float64 or Int8, or a list of numbers",
      call.name, describe_argument(call, types, index)));
}

void refuse_literals_alone(const FunctionCall& call) {
  if (std::any_of(call.arguments.begin(), call.arguments.end(), [](const auto& argument) {
        return !std::holds_alternative<LiteralValue>(argument->value);
      }))
    return;
  throw RequestError(call.name + ": no argument is a column; give at least one");
}

// Bytes of a hash argument.
std::int64_t hash_argument(const FunctionCall& call, const std::vector<DataType>& types,
                           std::size_t index) {
  if (const auto* literal = literal_vector(*call.arguments[index])) {
    const bool bytes = std::all_of(literal->begin(), literal->end(), [](double value) {
      return value >= 0 && value <= 255 && value == static_cast<int>(value);
    });
    if (bytes) return static_cast<std::int64_t>(literal->size());
  }
  const DataType& type = types[index];
  if (type.kind == TypeKind::kBinary && type.foreign && type.foreign->format().starts_with("w:"))
    return std::atoll(type.foreign->format().c_str() + 2);
  throw RequestError(fmt::format(
      "{}: argument {} is no hash; give a FixedSizeBinary, such as image_hash() makes, or bytes",
      call.name, describe_argument(call, types, index)));
}

}  // namespace

bool is_vector_function(const std::string& name) {
  constexpr std::array kVector{"cosine_distance",    "cosine_similarity", "dot_product",
                               "euclidean_distance", "l2_normalize",      "hamming_distance"};
  return std::find(kVector.begin(), kVector.end(), name) != kVector.end();
}

std::optional<char> vector_element(const DataType& type) {
  if (type.kind == TypeKind::kEmbedding) return type.element == tensor::DType::kF16 ? 'e' : 'f';
  if (!type.foreign || !type.foreign->format().starts_with("+w:")) return std::nullopt;
  const std::string item = type.foreign->item_format();
  const bool known = item == "f" || item == "e" || item == "g" || item == "c";
  return known ? std::optional(item.front()) : std::nullopt;
}

std::optional<std::int64_t> vector_length(const DataType& type) {
  if (!vector_element(type)) return std::nullopt;
  if (type.kind == TypeKind::kEmbedding) return type.dimension;
  const std::int64_t length = std::atoll(type.foreign->format().c_str() + 3);
  return length > 0 ? std::optional(length) : std::nullopt;
}

DataType distance_type(const FunctionCall& call, const std::vector<DataType>& types) {
  const std::int64_t first = vector_argument(call, types, 0),
                     second = vector_argument(call, types, 1);
  if (first != second)
    throw RequestError(fmt::format(
        "{}: {} and {} have {} and {} values. Expected source and query to have the same size, "
        "instead got {} and {}",
        call.name, describe_argument(call, types, 0), describe_argument(call, types, 1), first,
        second, first, second));
  refuse_literals_alone(call);
  return {TypeKind::kFloat64};
}

DataType normalize_type(const FunctionCall& call, const std::vector<DataType>& types) {
  const std::int64_t length = vector_argument(call, types, 0);
  refuse_literals_alone(call);
  const bool half = vector_element(types[0]) == 'e';
  return {TypeKind::kEmbedding, length, half ? tensor::DType::kF16 : tensor::DType::kF32};
}

DataType hamming_type(const FunctionCall& call, const std::vector<DataType>& types) {
  const std::int64_t first = hash_argument(call, types, 0), second = hash_argument(call, types, 1);
  if (first != second)
    throw RequestError(fmt::format(
        "{}: {} and {} have {} and {} bytes; compare hashes of one method and size", call.name,
        describe_argument(call, types, 0), describe_argument(call, types, 1), first, second));
  refuse_literals_alone(call);
  return {TypeKind::kUInt32};
}

}  // namespace vecframe::plan
