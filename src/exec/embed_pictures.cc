#include "exec/embed_pictures.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fingerprint.h"
#include "exec/embed_batch.h"
#include "exec/embed_worker.h"
#include "exec/known_vectors.h"
#include "exec/lane_pool.h"
#include "image/convert.h"
#include "image/prepare.h"
#include "plan/function_table.h"
#include "tensor/aligned_buffer.h"

namespace vecframe::exec {
namespace {

// What all workers of the column have in common.
struct Shared {
  EmbedStage stage;
  std::shared_ptr<KnownVectors> known;
  BatchSizer sizer;
  LanePool lanes;
  std::optional<Gate> embedding;  // so many at a time; nothing: each worker has a lane
  std::shared_ptr<const CoreShare> cores;
};

class PictureWorker final : public EmbedWorker {
 public:
  PictureWorker(const plan::EmbedCall& call, columnar::DataType type, Shared& shared,
                RowEvaluator evaluator, const EvaluationLimits& limits)
      : EmbedWorker(call, std::move(type)),
        shared_(shared),
        slot_bytes_(shared.stage.prepare.slot_bytes()),
        dimension_(static_cast<std::size_t>(shared.stage.dimension)),
        evaluator_(std::move(evaluator)),
        limits_(limits) {}

  std::vector<columnar::ArrayPointer> compute(const columnar::Morsel& rows,
                                              std::vector<RowFailure>& failures) override {
    const auto count = static_cast<std::size_t>(rows.num_rows);
    if (slots_.size() < count * slot_bytes_) {
      slots_ = tensor::AlignedBuffer<std::uint8_t>(count * slot_bytes_);
      vectors_.resize(count * dimension_);
    }
    std::vector<EmbeddedRow> results(count);
    std::vector<KnownVectors::Known> known(count);
    std::vector<std::size_t> to_embed;  // rows, by slot
    for (std::size_t row = 0; row < count && !limits_.stopping.cancelled(); ++row) {
      const std::span<std::uint8_t> slot(slots_.data() + to_embed.size() * slot_bytes_,
                                         slot_bytes_);
      if (prepare(rows, static_cast<std::int64_t>(row), results[row], known[row], slot))
        to_embed.push_back(row);
    }
    if (!to_embed.empty()) embed(to_embed, results);
    // Those of other workers wait for these, so these end before any is waited for.
    for (std::size_t row = 0; row < count && !limits_.stopping.cancelled(); ++row)
      end_first(results[row], known[row]);
    for (std::size_t row = 0; row < count; ++row) follow(results[row], known[row]);
    return finish(results, failures);
  }

 private:
  // Whether a picture is in the slot, to be embedded.
  bool prepare(const columnar::Morsel& rows, std::int64_t row, EmbeddedRow& result,
               KnownVectors::Known& known, std::span<std::uint8_t> slot) {
    RowCredit credit;
    RowValue value;
    if (evaluator_.decoding() != nullptr) {
      RowValue encoded = evaluator_.evaluate_encoded(rows, row, result.outcome, credit);
      if (is_null(encoded)) return false;
      known = look_up(hash_of(std::get<RowBytes>(encoded).view));
      if (!known.first) return false;
      if (evaluator_.prepares())
        return evaluator_.prepare_encoded(std::move(encoded), slot, result.outcome, credit);
      value = evaluator_.evaluate_decoded(std::move(encoded), result.outcome, credit);
    } else {
      value = evaluator_.evaluate(rows, row, result.outcome, credit);
    }
    if (is_null(value)) return false;
    if (!fill(std::get<image::Image>(std::move(value)), result, slot)) return false;
    if (known.first) return true;
    known = look_up(hash_of(std::as_bytes(slot)));
    return known.first != nullptr;
  }

  KnownVectors::Known look_up(const Hash128& content) {
    return shared_.known->look_up(content, *limits_.counters);
  }

  bool fill(image::Image picture, EmbeddedRow& result, std::span<std::uint8_t> slot) const {
    const Gate::Pass pass = limits_.enter_preparing();
    const StageClock::Scope scope(limits_.counters->prepare);
    const image::Image rgb = image::convert(std::move(picture), image::Mode::kRGB);
    const Status status = image::prepare(shared_.stage.prepare, rgb, slot, result.outcome.whole);
    if (!status) fail(result, status.error());
    return static_cast<bool>(status);
  }

  void embed(const std::vector<std::size_t>& to_embed, std::vector<EmbeddedRow>& results) {
    Counters& counters = *limits_.counters;
    std::optional<Gate::Pass> pass;
    if (shared_.embedding) {
      const StageClock::Scope waiting(counters.embed_wait);
      pass.emplace(shared_.embedding->enter(limits_.stopping));
      if (!*pass) return;
    }
    LanePool::Use use = shared_.lanes.take();
    LanePool::Lane& lane = *use;
    lane.embedder->share_cores(shared_.cores);
    for (std::size_t i = 0; i < to_embed.size(); ++i)
      results[to_embed[i]].vector = {vectors_.data() + i * dimension_, dimension_};
    counters.retries += embed_batch(
        static_cast<std::int64_t>(to_embed.size()), shared_.sizer,
        [&](std::int64_t first, std::int64_t rows) {
          const auto at = static_cast<std::size_t>(first);
          const StageClock::Scope scope(counters.embed);
          lane.embedder->embed(slots_.data() + at * slot_bytes_, rows,
                               vectors_.data() + at * dimension_);
          if (lane.warm && shared_.cores->each() == 1) shared_.sizer.note(rows, scope.seconds());
          lane.warm = true;
        },
        [&](std::int64_t index, RowError error) {
          fail(results[to_embed[static_cast<std::size_t>(index)]], std::move(error));
        },
        [&] { return !limits_.stopping.cancelled(); });
    counters.rows_embedded += static_cast<std::int64_t>(to_embed.size());
    counters.note_batch(shared_.sizer);
  }

  static void end_first(const EmbeddedRow& result, KnownVectors::Known& known) {
    if (!known.first) return;
    if (result.outcome.cause) {
      known.first->fail(*result.outcome.cause, result.outcome.severity);
    } else {
      known.first->finish(result.vector);
    }
  }

  void follow(EmbeddedRow& result, const KnownVectors::Known& known) const {
    if (!known.vector.empty()) result.vector = known.vector;
    if (known.follower == nullptr || !shared_.known->wait(*known.follower, limits_.stopping))
      return;
    result.vector = known.follower->vector();
    result.outcome.cause = known.follower->error();
    result.outcome.severity = known.follower->severity();
  }

  Shared& shared_;
  const std::size_t slot_bytes_, dimension_;
  const RowEvaluator evaluator_;
  const EvaluationLimits& limits_;
  tensor::AlignedBuffer<std::uint8_t> slots_;
  std::vector<float> vectors_;  // of the rows that are embedded
};

class PicturePlan final : public ColumnPlan {
 public:
  PicturePlan(const plan::ComputedColumn& column, const columnar::Schema& input,
              const StepContext& context)
      : column_(column), input_(input), stage_(context.image_stage(call())), context_(context) {}

  std::int64_t worker_bytes(std::int64_t rows) const override {
    // Twice: vectors that are known are held beside those that are made.
    return rows * static_cast<std::int64_t>(stage_.prepare.slot_bytes()) + 2 * column_bytes(rows);
  }
  std::int64_t lane_bytes(std::int64_t rows) const override {
    return stage_.embedder->lane_bytes(rows);
  }
  std::int64_t column_bytes(std::int64_t rows) const override {
    return rows * stage_.dimension * std::int64_t{sizeof(float)};
  }
  std::int64_t wanted_rows() const override {
    return call().batch_size.value_or(stage_.embedder->efficient_batch());
  }
  bool keeps_vectors() const override { return true; }
  bool shares_few_rows() const override {
    return !call().batch_size && stage_.embedder->uses_cores();
  }
  void begin(const MapShape& shape) override {
    const auto make = [&] {
      std::shared_ptr<VectorCache> cache;
      if (context_.vector_cache) cache = context_.vector_cache(call(), preparation_of(call()));
      return std::make_shared<KnownVectors>(stage_.dimension, shape.kept_vector_bytes, cache);
    };
    shared_ = std::unique_ptr<Shared>(new Shared{stage_,
                                                 context_.known->of(column_.node.get(), make),
                                                 {shape.rows, /*measured=*/!call().batch_size},
                                                 {stage_.embedder, shape.lanes, 0},
                                                 {},
                                                 shape.cores});
    if (shape.lanes < shape.workers) shared_->embedding.emplace(shape.lanes);
  }
  std::unique_ptr<ColumnWorker> make_worker(const EvaluationLimits& limits) override {
    return std::make_unique<PictureWorker>(
        call(), column_.type, *shared_,
        RowEvaluator(call().argument, input_, limits, &shared_->stage.prepare), limits);
  }

 private:
  const plan::EmbedCall& call() const { return std::get<plan::EmbedCall>(column_.node->value); }

  const plan::ComputedColumn column_;
  const columnar::Schema input_;
  const EmbedStage stage_;
  const StepContext& context_;
  std::unique_ptr<Shared> shared_;
};

}  // namespace

std::string preparation_of(const plan::EmbedCall& call) {
  const auto* decode = std::get_if<plan::FunctionCall>(&call.argument->value);
  if (decode == nullptr || decode->name != "decode_image") return "of prepared pixels";
  const std::string turned = plan::flag_option(*decode, "apply_orientation") ? kUpright : kAsStored;
  const std::string& mode = plan::text_option(*decode, "mode");
  const std::string whole = mode == "RGB" ? turned : turned + ", mode '" + mode + "'";
  return plan::flag_option(*decode, "fast_decode") ? decoded_fast(whole) : whole;
}

std::unique_ptr<ColumnPlan> plan_picture_embedding(const plan::ComputedColumn& column,
                                                   const columnar::Schema& input,
                                                   const StepContext& context) {
  return std::make_unique<PicturePlan>(column, input, context);
}

}  // namespace vecframe::exec
