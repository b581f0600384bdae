// Plans of an embedding by a provider, for tests.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "exec/embed_rows.h"
#include "text_source.h"

namespace vecframe::exec {

inline const columnar::DataType kVectors{columnar::TypeKind::kEmbedding, 2};

class Handle final : public plan::EmbedderHandle {};

inline plan::EmbedCall text_call(vecframe::OnError on_error) {
  plan::EmbedCall call;
  call.function = plan::EmbedFunction::kText;
  call.argument =
      std::make_shared<plan::ExpressionNode>(plan::ExpressionNode{plan::ColumnReference{"text"}});
  call.dimension = 2;
  call.on_error = on_error;
  call.error_column = "error";
  call.handle = std::make_shared<Handle>();
  return call;
}

inline plan::ComputedColumn column_of(plan::EmbedCall call, const std::string& name = "e") {
  return {name, std::make_shared<plan::ExpressionNode>(plan::ExpressionNode{std::move(call)}),
          kVectors};
}

}  // namespace vecframe::exec
