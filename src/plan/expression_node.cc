#include "plan/expression_node.h"

#include <vecframe/error.h>
#include <vecframe/suggest.h>

#include <vector>

namespace vecframe::plan {
namespace {

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

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

std::string name_of(EmbedFunction function) {
  return function == EmbedFunction::kImage ? "embed_image" : "embed_text";
}

std::string describe(const EmbedCall& call) {
  std::string text = name_of(call.function) + "(" + to_string(*call.argument) +
                     ", provider=" + quoted(call.provider) + ", model=" + quoted(call.model) +
                     ", precision=" + quoted(call.precision) + ", device=" + quoted(call.device);
  if (call.pooling != "default") text += ", pooling=" + quoted(call.pooling);
  if (call.image_size) text += ", image_size=" + std::to_string(*call.image_size);
  if (call.dimensions) text += ", dimensions=" + std::to_string(*call.dimensions);
  if (call.normalize) text += ", normalize=True";
  if (call.element == tensor::DType::kF16) text += ", dtype=" + quoted("float16");
  if (call.batch_size) text += ", batch_size=" + std::to_string(*call.batch_size);
  text += ", on_error=" + quoted(to_string(call.on_error));
  if (call.error_column) text += ", error_column=" + quoted(*call.error_column);
  return text + ")";
}

}  // namespace

std::string to_string(const ExpressionNode& node) {
  if (const auto* column = std::get_if<ColumnReference>(&node.value))
    return "col(" + quoted(column->name) + ")";
  return describe(std::get<EmbedCall>(node.value));
}

columnar::DataType type_of(const ExpressionNode& node, const columnar::Schema& schema) {
  if (const auto* column = std::get_if<ColumnReference>(&node.value)) {
    const int index = schema.find(column->name);
    if (index >= 0) return schema.fields[static_cast<std::size_t>(index)].type;
    std::vector<std::string> names;
    std::string listed;
    for (const columnar::Field& field : schema.fields) {
      names.push_back(field.name);
      listed += (listed.empty() ? "" : ", ") + field.name;
    }
    const std::string nearest = nearest_name(column->name, names);
    throw RequestError(
        "column '" + column->name + "' does not exist; " +
        (nearest.empty() ? "there are: " + listed : "did you mean '" + nearest + "'?"));
  }
  const auto& call = std::get<EmbedCall>(node.value);
  const columnar::DataType argument = type_of(*call.argument, schema);
  const bool of_images = call.function == EmbedFunction::kImage;
  if (argument.kind != (of_images ? columnar::TypeKind::kImage : columnar::TypeKind::kString)) {
    throw RequestError(name_of(call.function) + ": argument " + to_string(*call.argument) +
                       " has type " + argument.to_string() +
                       (of_images ? ", but an Image is needed; pass the column of pictures, such "
                                    "as col(\"image\")"
                                  : ", but a String is needed; pass the column of texts, such as "
                                    "col(\"text\")"));
  }
  return {columnar::TypeKind::kEmbedding, call.dimension, call.element};
}

}  // namespace vecframe::plan
