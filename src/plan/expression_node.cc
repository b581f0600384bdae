#include "plan/expression_node.h"

#include <fmt/format.h>
#include <vecframe/error.h>
#include <vecframe/suggest.h>

#include <span>
#include <utility>
#include <vector>

#include "base/fingerprint.h"
#include "plan/expression_split.h"
#include "plan/function_table.h"

namespace vecframe::plan {
namespace {

using columnar::DataType;

std::string_view to_string(OnError on_error) {
  switch (on_error) {
    case OnError::kRaise:
      return "raise";
    case OnError::kLog:
      return "log";
    case OnError::kIgnore:
      return "ignore";
  }
  return "unknown";
}

// No two texts look alike: equal texts of expressions mean equal expressions.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result + '"';
}

// 1.0 is another value than 1: it divides otherwise.
std::string describe_number(double value) {
  const std::string text = fmt::format("{}", value);
  return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
}

std::string describe_vector(const std::vector<double>& values) {
  constexpr std::size_t kShown = 8;
  if (values.size() > kShown)
    return fmt::format("<{} values, {:.16}>", values.size(),
                       fingerprint_of(std::as_bytes(std::span(values))));
  std::string text = "[";
  for (const double value : values) text += (text.size() > 1 ? ", " : "") + describe_number(value);
  return text + "]";
}

std::string name_of(EmbedFunction function) {
  return function == EmbedFunction::kImage ? "embed_image" : "embed_text";
}

std::string describe(const columnar::Literal& literal);

std::string describe(const EmbedCall& call) {
  std::string text = name_of(call.function) + "(" + to_string(*call.argument) +
                     ", provider=" + quoted(call.provider) + ", model=" + quoted(call.model);
  if (!call.precision.empty()) text += ", precision=" + quoted(call.precision);
  if (!call.device.empty()) text += ", device=" + quoted(call.device);
  if (call.pooling != "default") text += ", pooling=" + quoted(call.pooling);
  if (call.image_size) text += ", image_size=" + std::to_string(*call.image_size);
  if (call.dimensions) text += ", dimensions=" + std::to_string(*call.dimensions);
  if (call.normalize) text += ", normalize=True";
  if (call.element == tensor::DType::kF16) text += ", dtype=" + quoted("float16");
  if (call.batch_size) text += ", batch_size=" + std::to_string(*call.batch_size);
  if (call.concurrency) text += ", concurrency=" + std::to_string(*call.concurrency);
  if (call.max_retries) text += ", max_retries=" + std::to_string(*call.max_retries);
  if (call.num_gpus) text += fmt::format(", num_gpus={}", *call.num_gpus);
  for (const auto& [name, value] : call.options) text += ", " + name + "=" + describe(value);
  text += ", on_error=" + quoted(to_string(call.on_error));
  if (call.error_column) text += ", error_column=" + quoted(*call.error_column);
  return text + ")";
}

std::string describe(const columnar::Literal& literal) {
  struct Visitor {
    std::string operator()(std::monostate) const { return "None"; }
    std::string operator()(bool value) const { return value ? "True" : "False"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return describe_number(value); }
    std::string operator()(const std::string& value) const { return quoted(value); }
    std::string operator()(const std::vector<double>& value) const {
      return describe_vector(value);
    }
  };
  return std::visit(Visitor(), literal);
}

std::string describe(const FunctionCall& call) {
  if (const auto sign = columnar::operator_sign(call.name);
      !sign.empty() && call.arguments.size() == 2)
    return "(" + to_string(*call.arguments[0]) + " " + std::string(sign) + " " +
           to_string(*call.arguments[1]) + ")";
  std::string text = call.name + "(";
  const char* separator = "";
  for (const auto& argument : call.arguments) {
    text += separator + to_string(*argument);
    separator = ", ";
  }
  for (const auto& [name, value] : call.options) {
    // Named only where it is asked for: recipes of outputs that are there already lack the word.
    if (name == "fast_decode" && value == columnar::Literal(false)) continue;
    text += separator + name + "=" + describe(value);
    separator = ", ";
  }
  return text + ")";
}

DataType embed_type(const EmbedCall& call, const DataType& argument) {
  const bool of_images = call.function == EmbedFunction::kImage;
  if (argument.kind != (of_images ? columnar::TypeKind::kImage : columnar::TypeKind::kString)) {
    throw RequestError(name_of(call.function) + ": argument " + to_string(*call.argument) +
                       " has type " + argument.to_string() +
                       (of_images ? ", but an Image is needed; pass the column of pictures, such "
                                    "as col(\"image\")"
                                  : ", but a String is needed; pass the column of texts, such as "
                                    "col(\"text\")"));
  }
  if (of_images && argument.image.reduced && call.handle != nullptr)
    throw RequestError("fast_decode: True, but provider '" + call.provider +
                       "' takes pictures of any size, so that no size follows; resize() them to "
                       "what it needs before embed_image, or decode with fast_decode=False");
  return {columnar::TypeKind::kEmbedding, call.dimension, call.element};
}

// Of a call that the table engine evaluates, with columns in place of what it cannot.
DataType scalar_type(const ExpressionNode& node, const columnar::Schema& schema,
                     const RelationalSource& relational) {
  const auto shared = std::make_shared<ExpressionNode>(node);
  const SplitExpression parts = split(shared);
  columnar::Schema widened = schema;
  for (const OwnPart& part : parts.own)
    widened.fields.push_back({part.column, type_of(*part.node, schema, relational)});
  if (!relational)
    throw RequestError(to_string(node) + ": comparisons need the table module of this library");
  return relational().type_of(parts.scalar, widened);
}

// A vector that is a literal has no type among those of columns; functions of vectors look at it.
DataType argument_type(const ExpressionNode& node, const columnar::Schema& schema,
                       const RelationalSource& relational) {
  const auto* literal = std::get_if<LiteralValue>(&node.value);
  if (literal != nullptr && std::holds_alternative<std::vector<double>>(literal->value))
    return {columnar::TypeKind::kOther};
  return type_of(node, schema, relational);
}

}  // namespace

std::string to_string(const ExpressionNode& node) {
  if (const auto* column = std::get_if<ColumnReference>(&node.value))
    return "col(" + quoted(column->name) + ")";
  if (const auto* literal = std::get_if<LiteralValue>(&node.value)) return describe(literal->value);
  if (const auto* call = std::get_if<FunctionCall>(&node.value)) return describe(*call);
  return describe(std::get<EmbedCall>(node.value));
}

namespace {

void append_handles(const ExpressionNode& node, std::string& text) {
  if (const auto* call = std::get_if<FunctionCall>(&node.value)) {
    for (const auto& argument : call->arguments) append_handles(*argument, text);
  } else if (const auto* embed = std::get_if<EmbedCall>(&node.value)) {
    if (embed->handle) text += fmt::format("\x01{}", static_cast<const void*>(embed->handle.get()));
    append_handles(*embed->argument, text);
  }
}

}  // namespace

std::string identity(const ExpressionNode& node) {
  std::string text = to_string(node);
  append_handles(node, text);
  return text;
}

const columnar::Field& field_of(const columnar::Schema& schema, const std::string& name) {
  const int index = schema.find(name);
  if (index >= 0) return schema.fields[static_cast<std::size_t>(index)];
  std::vector<std::string> names;
  std::string listed;
  for (const columnar::Field& field : schema.fields) {
    names.push_back(field.name);
    listed += (listed.empty() ? "" : ", ") + field.name;
  }
  const std::string nearest = nearest_name(name, names);
  throw RequestError(
      "column '" + name + "' does not exist; " +
      (nearest.empty() ? "there are: " + listed : "did you mean '" + nearest + "'?"));
}

DataType type_of(const ExpressionNode& node, const columnar::Schema& schema,
                 const RelationalSource& relational) {
  if (const auto* column = std::get_if<ColumnReference>(&node.value))
    return field_of(schema, column->name).type;
  if (is_scalar(node)) return scalar_type(node, schema, relational);
  if (const auto* call = std::get_if<FunctionCall>(&node.value)) {
    std::vector<DataType> arguments;
    for (const auto& argument : call->arguments)
      arguments.push_back(argument_type(*argument, schema, relational));
    return function_type(*call, arguments);
  }
  const auto& call = std::get<EmbedCall>(node.value);
  return embed_type(call, type_of(*call.argument, schema, relational));
}

}  // namespace vecframe::plan
