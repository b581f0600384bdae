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

std::string describe(const EmbedImageCall& call) {
  std::string text = "embed_image(" + to_string(*call.image) +
                     ", provider=" + quoted(call.provider) + ", model=" + quoted(call.model) +
                     ", precision=" + quoted(call.precision) + ", device=" + quoted(call.device);
  if (call.normalize) text += ", normalize=True";
  if (call.batch_size) text += ", batch_size=" + std::to_string(*call.batch_size);
  text += ", on_error=" + quoted(to_string(call.on_error));
  if (call.error_column) text += ", error_column=" + quoted(*call.error_column);
  return text + ")";
}

}  // namespace

std::string to_string(const ExpressionNode& node) {
  if (const auto* column = std::get_if<ColumnReference>(&node.value))
    return "col(" + quoted(column->name) + ")";
  return describe(std::get<EmbedImageCall>(node.value));
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
  const auto& call = std::get<EmbedImageCall>(node.value);
  const columnar::DataType argument = type_of(*call.image, schema);
  if (argument.kind != columnar::TypeKind::kImage) {
    throw RequestError(
        "embed_image: argument " + to_string(*call.image) + " has type " + argument.to_string() +
        ", but an Image is needed; pass the column of pictures, such as col(\"image\")");
  }
  return {columnar::TypeKind::kEmbedding, call.dimension};
}

}  // namespace vecframe::plan
