#include "exec/embed_column.h"

#include <algorithm>
#include <utility>

#include "columnar/batch.h"
#include "columnar/tensor_column.h"
#include "exec/column_of_values.h"
#include "exec/embed_pictures.h"
#include "exec/embed_texts.h"

namespace vecframe::exec {
namespace {

using columnar::ArrayPointer;
using columnar::DataType;
using columnar::TypeKind;

// Pictures whose size is not known before they are decoded go one by one.
constexpr std::int64_t kColumnBytes = 4 << 20;

std::int64_t bytes_of_row(const DataType& type) {
  if (type.kind == TypeKind::kBinary) return type.foreign ? 1024 : kColumnBytes;
  if (columnar::is_tensor(type)) return kColumnBytes;
  if (type.kind != TypeKind::kImage) return 64;
  if (!type.image.fixed()) return kColumnBytes;
  return std::int64_t{type.image.height} * type.image.width *
         columnar::channels_of(type.image.mode);
}

class ValueWorker final : public ColumnWorker {
 public:
  ValueWorker(RowEvaluator evaluator, DataType type)
      : evaluator_(std::move(evaluator)), type_(std::move(type)) {}

  std::vector<ArrayPointer> compute(const columnar::Morsel& rows,
                                    std::vector<RowFailure>& failures) override {
    const auto column = make_value_column(type_);
    for (std::int64_t row = 0; row < rows.num_rows; ++row) {
      RowOutcome outcome;
      RowCredit credit;
      column->append(evaluator_.evaluate(rows, row, outcome, credit));
      if (outcome.cause && outcome.severity == Severity::kFatal)
        failures.push_back({row, std::move(*outcome.cause), Severity::kFatal, OnError::kRaise,
                            std::move(outcome.source)});
    }
    return {column->finish()};
  }

 private:
  RowEvaluator evaluator_;
  DataType type_;
};

class ValuePlan final : public ColumnPlan {
 public:
  ValuePlan(plan::ComputedColumn column, const columnar::Schema& input)
      : column_(std::move(column)), input_(input) {}

  std::int64_t worker_bytes(std::int64_t /*rows*/) const override { return 0; }
  std::int64_t column_bytes(std::int64_t rows) const override {
    return rows * bytes_of_row(column_.type);
  }
  std::int64_t wanted_rows() const override {
    const std::int64_t row = bytes_of_row(column_.type);
    return row >= kColumnBytes ? 1 : std::min<std::int64_t>(64, kColumnBytes / row);
  }
  std::unique_ptr<ColumnWorker> make_worker(const EvaluationLimits& limits) override {
    return std::make_unique<ValueWorker>(RowEvaluator(column_.node, input_, limits), column_.type);
  }

 private:
  plan::ComputedColumn column_;
  columnar::Schema input_;
};

}  // namespace

std::unique_ptr<ColumnPlan> plan_column(const plan::ComputedColumn& column,
                                        const columnar::Schema& input, const StepContext& context) {
  const auto* call = std::get_if<plan::EmbedCall>(&column.node->value);
  if (call == nullptr) return std::make_unique<ValuePlan>(column, input);
  return call->function == plan::EmbedFunction::kImage
             ? plan_picture_embedding(column, input, context)
             : plan_text_embedding(column, input, context);
}

}  // namespace vecframe::exec
