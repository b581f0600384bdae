#include "exec/embedding_columns.h"

#include <utility>

#include "columnar/batch.h"
#include "exec/embed_batch.h"

namespace vecframe::exec {
namespace {

OnError to_exec(vecframe::OnError on_error) {
  switch (on_error) {
    case vecframe::OnError::kRaise:
      return OnError::kRaise;
    case vecframe::OnError::kLog:
      return OnError::kLog;
    case vecframe::OnError::kIgnore:
      break;
  }
  return OnError::kIgnore;
}

columnar::ArrayPointer finished(columnar::ColumnBuilder& builder) {
  ArrowArray array;
  builder.finish(&array);
  return columnar::share(array);
}

}  // namespace

std::vector<columnar::ArrayPointer> embedding_columns(const plan::EmbedCall& call,
                                                      const columnar::DataType& type,
                                                      std::vector<EmbeddedRow>& rows,
                                                      std::vector<RowFailure>& failures) {
  const VectorForm form{call.dimensions, call.normalize, call.element};
  columnar::ColumnBuilder vectors(type), errors({columnar::TypeKind::kString});
  std::vector<float> kept(static_cast<std::size_t>(call.dimension));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::span<const float> vector = rows[row].vector;
    RowOutcome& outcome = rows[row].outcome;
    if (!vector.empty() && !outcome.cause) {
      outcome.cause = keep_vector(vector, form, kept);
      outcome.severity = Severity::kDeferred;
    }
    const bool good = !vector.empty() && !outcome.cause;
    good ? vectors.append(std::span<const float>(kept)) : vectors.append_null();
    outcome.cause ? errors.append(std::string_view(outcome.cause->to_string()))
                  : errors.append_null();
    if (outcome.cause)
      failures.push_back({static_cast<std::int64_t>(row), std::move(*outcome.cause),
                          outcome.severity, to_exec(call.on_error), std::move(outcome.source)});
  }
  std::vector<columnar::ArrayPointer> columns{finished(vectors)};
  if (call.error_column) columns.push_back(finished(errors));
  return columns;
}

}  // namespace vecframe::exec
