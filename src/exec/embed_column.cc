#include "exec/embed_column.h"

#include <utility>

#include "columnar/batch.h"
#include "columnar/tensor_column.h"
#include "exec/column_of_values.h"
#include "exec/embed_batch.h"
#include "image/convert.h"
#include "image/prepare.h"
#include "tensor/aligned_buffer.h"

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
  std::unique_ptr<ColumnWorker> make_worker(const EvaluationLimits& limits) const override {
    return std::make_unique<ValueWorker>(RowEvaluator(column_.node, input_, limits), column_.type);
  }

 private:
  plan::ComputedColumn column_;
  columnar::Schema input_;
};

// What embeddings of pictures and of texts have in common: the columns they fill.
class EmbedWorker : public ColumnWorker {
 public:
  EmbedWorker(const plan::EmbedCall& call, DataType type, std::int64_t dimension)
      : call_(call), type_(std::move(type)), dimension_(dimension) {}

 protected:
  struct RowState {
    bool has_value = false;  // a vector is made for it
    RowOutcome outcome;
  };

  // Vectors of the rows that have one, back to back in `out`, as columns.
  std::vector<ArrayPointer> finish(std::vector<RowState>& states, const float* out,
                                   std::vector<RowFailure>& failures) const {
    std::vector<EmbeddedRow> rows(states.size());
    for (std::size_t row = 0; row < states.size(); ++row) {
      rows[row].outcome = std::move(states[row].outcome);
      if (!states[row].has_value) continue;
      rows[row].vector = {out, static_cast<std::size_t>(dimension_)};
      out += dimension_;
    }
    return embedding_columns(call_, type_, rows, failures);
  }

  // Gives the error to the index-th row that has a value.
  static void fail(std::vector<RowState>& states, std::int64_t index, RowError error) {
    for (RowState& state : states) {
      if (!state.has_value || index-- > 0) continue;
      state.outcome.cause = std::move(error);
      state.outcome.severity = Severity::kDeferred;
      return;
    }
  }

  const plan::EmbedCall& call_;
  const DataType type_;
  const std::int64_t dimension_;  // of the model
};

class ImageEmbedWorker final : public EmbedWorker {
 public:
  ImageEmbedWorker(const plan::EmbedCall& call, DataType type, const EmbedStage& stage,
                   RowEvaluator evaluator, const EvaluationLimits& limits)
      : EmbedWorker(call, std::move(type), stage.dimension),
        stage_(stage),
        evaluator_(std::move(evaluator)),
        limits_(limits),
        lane_(stage.embedder->make_lane()) {}

  std::vector<ArrayPointer> compute(const columnar::Morsel& rows,
                                    std::vector<RowFailure>& failures) override {
    const std::size_t slot = stage_.prepare.slot_bytes();
    const auto count = static_cast<std::size_t>(rows.num_rows);
    if (slots_.size() < count * slot) {
      slots_ = tensor::AlignedBuffer<std::uint8_t>(count * slot);
      out_.resize(count * static_cast<std::size_t>(dimension_));
    }
    std::vector<RowState> states(count);
    std::int64_t prepared = 0;
    for (std::size_t row = 0; row < count && !limits_.stopping.cancelled(); ++row) {
      RowState& state = states[row];
      const std::span<std::uint8_t> to(slots_.data() + static_cast<std::size_t>(prepared) * slot,
                                       slot);
      state.has_value = prepare(rows, static_cast<std::int64_t>(row), state.outcome, to);
      if (state.has_value) ++prepared;
    }
    if (prepared > 0)
      embed_batch(
          prepared,
          [&](std::int64_t first, std::int64_t length) {
            lane_->embed(slots_.data() + static_cast<std::size_t>(first) * slot, length,
                         out_.data() + first * dimension_);
          },
          [&](std::int64_t index, RowError error) { fail(states, index, std::move(error)); },
          [&] { return !limits_.stopping.cancelled(); });
    return finish(states, out_.data(), failures);
  }

 private:
  bool prepare(const columnar::Morsel& rows, std::int64_t row, RowOutcome& outcome,
               std::span<std::uint8_t> slot) const {
    RowCredit credit;
    RowValue value = evaluator_.evaluate(rows, row, outcome, credit);
    if (is_null(value)) return false;
    const image::Image rgb =
        image::convert(std::get<image::Image>(std::move(value)), image::Mode::kRGB);
    const Status status = image::prepare(stage_.prepare, rgb, slot);
    if (status) return true;
    outcome.cause = status.error();
    outcome.severity = Severity::kDeferred;
    return false;
  }

  const EmbedStage& stage_;
  RowEvaluator evaluator_;
  const EvaluationLimits& limits_;
  std::unique_ptr<embed::EmbedLane> lane_;
  tensor::AlignedBuffer<std::uint8_t> slots_;
  std::vector<float> out_;
};

class ImageEmbedPlan final : public ColumnPlan {
 public:
  ImageEmbedPlan(const plan::ComputedColumn& column, const columnar::Schema& input,
                 EmbedStage stage)
      : column_(column), input_(input), stage_(std::move(stage)) {}

  std::int64_t worker_bytes(std::int64_t rows) const override {
    return stage_.embedder->lane_bytes(rows) +
           rows * static_cast<std::int64_t>(stage_.prepare.slot_bytes());
  }
  std::int64_t column_bytes(std::int64_t rows) const override {
    return rows * stage_.dimension * std::int64_t{sizeof(float)};
  }
  std::int64_t wanted_rows() const override {
    return call().batch_size.value_or(stage_.embedder->efficient_batch());
  }
  std::unique_ptr<ColumnWorker> make_worker(const EvaluationLimits& limits) const override {
    return std::make_unique<ImageEmbedWorker>(
        call(), column_.type, stage_, RowEvaluator(call().argument, input_, limits), limits);
  }

 private:
  const plan::EmbedCall& call() const { return std::get<plan::EmbedCall>(column_.node->value); }

  plan::ComputedColumn column_;
  columnar::Schema input_;
  EmbedStage stage_;
};

class TextEmbedWorker final : public EmbedWorker {
 public:
  TextEmbedWorker(const plan::EmbedCall& call, DataType type, const TextStage& stage,
                  RowEvaluator evaluator, const EvaluationLimits& limits)
      : EmbedWorker(call, std::move(type), stage.dimension),
        evaluator_(std::move(evaluator)),
        limits_(limits),
        lane_(stage.embedder->make_lane()) {}

  std::vector<ArrayPointer> compute(const columnar::Morsel& rows,
                                    std::vector<RowFailure>& failures) override {
    const auto count = static_cast<std::size_t>(rows.num_rows);
    out_.resize(count * static_cast<std::size_t>(dimension_));
    std::vector<RowState> states(count);
    std::vector<std::string_view> texts;
    for (std::size_t row = 0; row < count; ++row) {
      RowCredit credit;
      const RowValue value =
          evaluator_.evaluate(rows, static_cast<std::int64_t>(row), states[row].outcome, credit);
      if (is_null(value)) continue;
      texts.push_back(std::get<std::string_view>(value));
      states[row].has_value = true;
    }
    if (!texts.empty())
      embed_batch(
          static_cast<std::int64_t>(texts.size()),
          [&](std::int64_t first, std::int64_t length) {
            lane_->embed(std::span<const std::string_view>(texts).subspan(
                             static_cast<std::size_t>(first), static_cast<std::size_t>(length)),
                         out_.data() + first * dimension_);
          },
          [&](std::int64_t index, RowError error) { fail(states, index, std::move(error)); },
          [&] { return !limits_.stopping.cancelled(); });
    return finish(states, out_.data(), failures);
  }

 private:
  RowEvaluator evaluator_;
  const EvaluationLimits& limits_;
  std::unique_ptr<embed::TextEmbedLane> lane_;
  std::vector<float> out_;
};

class TextEmbedPlan final : public ColumnPlan {
 public:
  TextEmbedPlan(const plan::ComputedColumn& column, const columnar::Schema& input, TextStage stage)
      : column_(column), input_(input), stage_(std::move(stage)) {}

  std::int64_t worker_bytes(std::int64_t rows) const override {
    return stage_.embedder->lane_bytes(rows);
  }
  std::int64_t column_bytes(std::int64_t rows) const override {
    return rows * stage_.dimension * std::int64_t{sizeof(float)};
  }
  std::int64_t wanted_rows() const override { return call().batch_size.value_or(64); }
  std::unique_ptr<ColumnWorker> make_worker(const EvaluationLimits& limits) const override {
    return std::make_unique<TextEmbedWorker>(call(), column_.type, stage_,
                                             RowEvaluator(call().argument, input_, limits), limits);
  }

 private:
  const plan::EmbedCall& call() const { return std::get<plan::EmbedCall>(column_.node->value); }

  plan::ComputedColumn column_;
  columnar::Schema input_;
  TextStage stage_;
};

}  // namespace

std::unique_ptr<ColumnPlan> plan_column(const plan::ComputedColumn& column,
                                        const columnar::Schema& input, const StepContext& context) {
  const auto* call = std::get_if<plan::EmbedCall>(&column.node->value);
  if (call == nullptr) return std::make_unique<ValuePlan>(column, input);
  if (call->function == plan::EmbedFunction::kImage)
    return std::make_unique<ImageEmbedPlan>(column, input, context.image_stage(*call));
  return std::make_unique<TextEmbedPlan>(column, input, context.text_stage(*call));
}

}  // namespace vecframe::exec
