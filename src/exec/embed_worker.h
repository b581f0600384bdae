// What embeddings of pictures and of texts have in common: the columns they fill.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "exec/embed_column.h"
#include "exec/embedding_columns.h"
#include "plan/expression_node.h"

namespace vecframe::exec {

class EmbedWorker : public ColumnWorker {
 public:
  EmbedWorker(const plan::EmbedCall& call, columnar::DataType type)
      : call_(call), type_(std::move(type)) {}

 protected:
  std::vector<columnar::ArrayPointer> finish(std::vector<EmbeddedRow>& rows,
                                             std::vector<RowFailure>& failures) const {
    return embedding_columns(call_, type_, rows, failures);
  }
  static void fail(EmbeddedRow& row, RowError error) {
    row.outcome.cause = std::move(error);
    row.outcome.severity = Severity::kDeferred;
  }

  const plan::EmbedCall& call_;

 private:
  const columnar::DataType type_;
};

}  // namespace vecframe::exec
