#include "exec/embed_texts.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "exec/embed_batch.h"
#include "exec/embed_worker.h"

namespace vecframe::exec {
namespace {

class TextEmbedWorker final : public EmbedWorker {
 public:
  TextEmbedWorker(const plan::EmbedCall& call, columnar::DataType type, const TextStage& stage,
                  RowEvaluator evaluator, const EvaluationLimits& limits, Gate* embedding,
                  BatchSizer& sizer, std::shared_ptr<const CoreShare> cores)
      : EmbedWorker(call, std::move(type)),
        dimension_(stage.dimension),
        evaluator_(std::move(evaluator)),
        limits_(limits),
        embedding_(embedding),
        sizer_(sizer),
        lane_(stage.embedder->make_lane()) {
    lane_->share_cores(std::move(cores));
  }

  std::vector<columnar::ArrayPointer> compute(const columnar::Morsel& rows,
                                              std::vector<RowFailure>& failures) override {
    const auto count = static_cast<std::size_t>(rows.num_rows);
    out_.resize(count * static_cast<std::size_t>(dimension_));
    std::vector<EmbeddedRow> states(count);
    std::vector<std::string_view> texts;
    std::vector<std::size_t> of_text;  // the row of each
    for (std::size_t row = 0; row < count; ++row) {
      RowCredit credit;
      const RowValue value =
          evaluator_.evaluate(rows, static_cast<std::int64_t>(row), states[row].outcome, credit);
      if (is_null(value)) continue;
      texts.push_back(std::get<std::string_view>(value));
      of_text.push_back(row);
    }
    if (!texts.empty()) embed(texts, of_text, states);
    return finish(states, failures);
  }

 private:
  void embed(const std::vector<std::string_view>& texts, const std::vector<std::size_t>& of_text,
             std::vector<EmbeddedRow>& states) {
    Counters& counters = *limits_.counters;
    const auto length = static_cast<std::size_t>(dimension_);
    std::optional<Gate::Pass> pass;
    if (embedding_ != nullptr) {
      const StageClock::Scope waiting(counters.embed_wait);
      pass.emplace(embedding_->enter(limits_.stopping));
      if (!*pass) return;
    }
    for (std::size_t i = 0; i < texts.size(); ++i)
      states[of_text[i]].vector = {out_.data() + i * length, length};
    counters.retries += embed_batch(
        static_cast<std::int64_t>(texts.size()), sizer_,
        [&](std::int64_t first, std::int64_t rows) {
          const StageClock::Scope scope(counters.embed);
          lane_->embed(std::span<const std::string_view>(texts).subspan(
                           static_cast<std::size_t>(first), static_cast<std::size_t>(rows)),
                       out_.data() + first * dimension_);
        },
        [&](std::int64_t index, RowError error) {
          fail(states[of_text[static_cast<std::size_t>(index)]], std::move(error));
        },
        [&] { return !limits_.stopping.cancelled(); });
    counters.rows_embedded += static_cast<std::int64_t>(texts.size());
    counters.note_batch(sizer_);
  }

  const std::int64_t dimension_;  // of the model
  RowEvaluator evaluator_;
  const EvaluationLimits& limits_;
  Gate* const embedding_;
  BatchSizer& sizer_;
  std::unique_ptr<embed::TextEmbedLane> lane_;
  std::vector<float> out_;
};

class TextEmbedPlan final : public ColumnPlan {
 public:
  TextEmbedPlan(const plan::ComputedColumn& column, const columnar::Schema& input, TextStage stage)
      : column_(column), input_(input), stage_(std::move(stage)) {}

  std::int64_t worker_bytes(std::int64_t rows) const override {
    return stage_.embedder->lane_bytes(rows) + column_bytes(rows);
  }
  std::int64_t column_bytes(std::int64_t rows) const override {
    return rows * stage_.dimension * std::int64_t{sizeof(float)};
  }
  std::int64_t wanted_rows() const override { return call().batch_size.value_or(64); }
  void begin(const MapShape& shape) override {
    sizer_.emplace(shape.rows, /*measured=*/false);
    cores_ = shape.cores;
    if (shape.lanes < shape.workers) embedding_.emplace(shape.lanes);
  }
  std::unique_ptr<ColumnWorker> make_worker(const EvaluationLimits& limits) override {
    return std::make_unique<TextEmbedWorker>(call(), column_.type, stage_,
                                             RowEvaluator(call().argument, input_, limits), limits,
                                             embedding_ ? &*embedding_ : nullptr, *sizer_, cores_);
  }

 private:
  const plan::EmbedCall& call() const { return std::get<plan::EmbedCall>(column_.node->value); }

  plan::ComputedColumn column_;
  columnar::Schema input_;
  TextStage stage_;
  std::optional<BatchSizer> sizer_;
  std::optional<Gate> embedding_;  // so many at a time; nothing: all workers
  std::shared_ptr<const CoreShare> cores_;
};

}  // namespace

std::unique_ptr<ColumnPlan> plan_text_embedding(const plan::ComputedColumn& column,
                                                const columnar::Schema& input,
                                                const StepContext& context) {
  const auto& call = std::get<plan::EmbedCall>(column.node->value);
  return std::make_unique<TextEmbedPlan>(column, input, context.text_stage(call));
}

}  // namespace vecframe::exec
