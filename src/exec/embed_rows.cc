#include "exec/embed_rows.h"

#include <vecframe/error.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/fingerprint.h"
#include "columnar/array_view.h"
#include "columnar/image_builder.h"
#include "embed/picture_embedder.h"
#include "exec/caller_thread.h"
#include "exec/duplicates.h"
#include "exec/embed_window.h"
#include "exec/processors.h"
#include "exec/row_caller.h"
#include "exec/row_failures.h"
#include "exec/stages.h"
#include "image/convert.h"

namespace vecframe::exec {
namespace {

using columnar::Morsel;

// How soon a raised CancellationToken is seen, at the latest.
constexpr std::chrono::milliseconds kTick{50};
constexpr std::int64_t kPictureBatch = 16;
constexpr std::int64_t kTextBatch = 64;
constexpr std::int64_t kRequests = 16;
// What is left for pictures in flight at the least.
constexpr std::int64_t kLeastRoom = 1 << 20;

const plan::EmbedCall& call_of(const plan::ComputedColumn& column) {
  return std::get<plan::EmbedCall>(column.node->value);
}

const CancellationToken& token_of(const StopSource& stop) {
  return *static_cast<const CancellationToken*>(stop.state().get());
}

// The 8-bit mode of as many channels.
image::Mode eight_bits(image::Mode mode) {
  return static_cast<image::Mode>(image::num_channels(mode));
}

Hash128 content_of(const EmbedWindow::Input& input) {
  if (const auto* text = std::get_if<std::string_view>(&input))
    return hash_of(std::as_bytes(std::span(*text)));
  const auto* picture = std::get_if<Picture>(&input);
  if (picture == nullptr) return {};
  const std::array<std::int64_t, 3> shape{picture->width, picture->height, picture->channels};
  return Fingerprint()
      .add(std::as_bytes(std::span(shape)))
      .add(std::as_bytes(picture->pixels))
      .digest();
}

// How the call is carried out: its own words first, then the provider's.
EmbedWindow::Rules rules_for(const plan::EmbedCall& call, const RowDescriptor& descriptor,
                             const StepContext& context, bool ordered) {
  const CallRules& provider = rules_of(descriptor);
  const bool pictures = call.function == plan::EmbedFunction::kImage;
  EmbedWindow::Rules rules;
  rules.batch_size =
      call.batch_size.value_or(provider.batch_size.value_or(pictures ? kPictureBatch : kTextBatch));
  rules.concurrency =
      call.concurrency.value_or(provider.concurrency.value_or(provider.is_async ? kRequests : 1));
  if (context.stages.embed) rules.concurrency = *context.stages.embed;
  rules.ordered = ordered;
  // Enough to fill every batch in flight once more.
  rules.rows = std::max<std::int64_t>(256, 2 * rules.batch_size * rules.concurrency);
  rules.chunk_rows = std::min<std::int64_t>(rules.batch_size, 1024);
  rules.kept_vector_bytes = std::min(Duplicates::kMaximumBytes, context.memory_limit / 16);
  rules.answers.dimension = identity_of(descriptor).dimension;
  rules.answers.max_retries = call.max_retries.value_or(provider.max_retries);
  return rules;
}

class EmbedRows final : public Operator {
 public:
  EmbedRows(std::unique_ptr<Operator> input, const columnar::Schema& schema,
            plan::ComputedColumn column, const StepContext& context, bool ordered)
      : input_(std::move(input)),
        schema_(schema),
        column_(std::move(column)),
        context_(context),
        descriptor_(context.row_descriptor(call_of(column_))),
        rules_(rules_for(call_of(column_), descriptor_, context, ordered)),
        preparers_(count_preparers()),
        budget_(room()),
        limits_{.budget = budget_,
                .stopping = token_of(stop_),
                .fetch = context_.fetch,
                .decode = context_.decode,
                .reading = gate_for(context_.stages.download),
                .preparing = gate_for(context_.stages.decode),
                .counters = context_.counters},
        evaluator_(call_of(column_).argument, schema_, limits_),
        window_(
            rules_, [this] { return fill(); }, [this] { return held_up(); }) {
    start();
  }
  ~EmbedRows() override { stop(); }

  std::optional<Morsel> next() override {
    for (;;) {
      context_.check();
      EmbedChunk* chunk = window_.wait_done(kTick);
      if (chunk == nullptr) {
        if (window_.finished()) return std::nullopt;
        continue;
      }
      Morsel result = chunk->rows;
      std::vector<RowFailure> failures;
      for (columnar::ArrayPointer& made :
           embedding_columns(call_of(column_), column_.type, chunk->embedded, failures))
        result.columns.push_back(std::move(made));
      const std::int64_t first_row = chunk->first_row;
      context_.counters->note_peak(context_.memory_limit - budget_.capacity() + budget_.peak());
      window_.pop(chunk);
      for (const RowFailure& failure : failures) report_failure(context_, first_row, failure);
      return result;
    }
  }

 private:
  bool of_pictures() const { return call_of(column_).function == plan::EmbedFunction::kImage; }
  bool is_async() const { return rules_of(descriptor_).is_async; }

  // Those that take rows through reading and decoding; one will do where nothing is to be read.
  int count_preparers() const {
    if (std::holds_alternative<plan::ColumnReference>(call_of(column_).argument->value)) return 1;
    const int threads = context_.threads == 0 ? usable_processors() : context_.threads;
    Stages stages = context_.stages;
    stages.embed.reset();
    return concurrency_of_map(stages, threads).workers;
  }
  std::shared_ptr<Gate> gate_for(const std::optional<int>& places) const {
    return places && *places < preparers_ ? std::make_shared<Gate>(*places) : nullptr;
  }
  // Preparers that wait for the budget, and those that cannot be served before these are.
  std::int64_t held_up() const {
    const std::int64_t blocked = budget_.blocked();
    return blocked == 0 ? 0 : blocked + limits_.waiting_to_read();
  }

  // What the limit leaves for files and pictures.
  std::int64_t room() const {
    const std::int64_t vectors =
        rules_.rows * rules_.answers.dimension * std::int64_t{sizeof(float)};
    const std::int64_t left = context_.memory_limit - rules_.kept_vector_bytes - vectors;
    if (left >= kLeastRoom) return left;
    throw RequestError("memory_limit=" + std::to_string(context_.memory_limit) +
                       " is too small: " + std::to_string(rules_.concurrency) + " batches of " +
                       std::to_string(rules_.batch_size) + " rows need at least " +
                       std::to_string(rules_.kept_vector_bytes + vectors + kLeastRoom) + " bytes");
  }

  // The next few rows of the input; on one preparer at a time.
  std::optional<Morsel> fill() {
    while (taken_ == current_.num_rows) {
      std::optional<Morsel> next = input_->next();
      if (!next) return std::nullopt;
      current_ = std::move(*next);
      taken_ = 0;
    }
    const std::int64_t count = std::min(rules_.chunk_rows, current_.num_rows - taken_);
    taken_ += count;
    return columnar::slice(current_, taken_ - count, count);
  }

  void start() {
    try {
      const std::int64_t callers = is_async() ? 1 : rules_.concurrency;
      for (std::int64_t i = 0; i < callers; ++i) {
        callers_.push_back(context_.callers->take(descriptor_));
        callers_.back()->begin(
            [this](std::exception_ptr failure) { note_made(std::move(failure)); },
            [this](RowCaller& caller) { run_caller(caller); });
      }
      wait_for_callers(callers);
      for (int i = 0; i < preparers_; ++i) threads_.emplace_back([this] { run_preparer(); });
    } catch (const std::system_error& error) {
      stop();
      throw RunError("cannot start the threads of an embedding: " + std::string(error.what()));
    } catch (...) {
      stop();
      throw;
    }
  }

  void stop() {
    const bool is_over = window_.finished();
    stop_.request();
    if (!is_over)
      for (const auto& caller : callers_) caller->stop();
    window_.stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    for (auto& caller : callers_) {
      caller->wait();
      if (is_over) context_.callers->keep(std::move(caller));
    }
    callers_.clear();
  }

  void wait_for_callers(std::int64_t count) {
    for (;;) {
      context_.check();
      std::unique_lock lock(making_mutex_);
      made_changed_.wait_for(lock, kTick, [&] { return making_failure_ || made_ == count; });
      if (making_failure_) std::rethrow_exception(making_failure_);
      if (made_ == count) return;
    }
  }

  void note_made(std::exception_ptr failure) {
    std::lock_guard lock(making_mutex_);
    ++made_;
    if (failure) making_failure_ = std::move(failure);
    made_changed_.notify_all();
  }

  void run_caller(RowCaller& caller) {
    while (std::optional<RowBatch> taken = window_.take_batch()) {
      const auto batch = std::make_shared<RowBatch>(std::move(*taken));
      const auto called = BatchClock::now();
      caller.call(*batch, [this, batch, called](BatchAnswer answer) {
        Counters& counters = *context_.counters;
        counters.embed.add(BatchClock::now() - called);
        ++counters.batches;
        counters.rows_embedded += static_cast<std::int64_t>(batch->size());
        if (batch->failures > 0) ++counters.retries;
        window_.complete(std::move(*batch), std::move(answer));
      });
    }
    window_.wait_until_idle();
  }

  void run_preparer() {
    try {
      while (const auto place = window_.take_row()) {
        EmbedWindow::Prepared row;
        row.input = prepare(place->chunk->rows, place->row, row.outcome, row.credit);
        row.content = content_of(row.input);
        if (window_.prepared(*place, std::move(row))) ++context_.counters->duplicates;
      }
    } catch (...) {
      window_.fail(std::current_exception());
    }
  }

  EmbedWindow::Input prepare(const Morsel& rows, std::int64_t row, RowOutcome& outcome,
                             RowCredit& credit) const {
    if (of_pictures()) {
      if (const auto* column =
              std::get_if<plan::ColumnReference>(&call_of(column_).argument->value))
        return picture_of(rows, row, schema_.find(column->name));
    }
    RowValue value = evaluator_.evaluate(rows, row, outcome, credit);
    if (is_null(value)) {
      credit.release();
      return {};
    }
    if (!of_pictures()) return std::get<std::string_view>(value);
    auto& image = std::get<image::Image>(value);
    if (image::bytes_per_sample(image.mode()) > 1) {
      const image::Mode mode = eight_bits(image.mode());
      image = image::convert(std::move(image), mode);
    }
    credit.file.release();
    credit.picture.shrink_to(static_cast<std::int64_t>(image.pixels().size()));
    return embed::to_picture(std::move(image));
  }

  // The pixels where they are in the column.
  EmbedWindow::Input picture_of(const Morsel& rows, std::int64_t row, int index) const {
    const auto at = static_cast<std::size_t>(index);
    const columnar::ArrayPointer& array = rows.columns[at];
    if (!columnar::is_valid(*array, row)) return {};
    const columnar::ImageView view = columnar::image_at(*array, row, schema_.fields[at].type.image);
    return Picture{view.width, view.height,
                   image::num_channels(static_cast<image::Mode>(view.mode)), view.pixels, array};
  }

  const std::unique_ptr<Operator> input_;
  const columnar::Schema schema_;
  const plan::ComputedColumn column_;
  const StepContext& context_;
  const RowDescriptor descriptor_;
  const EmbedWindow::Rules rules_;
  const int preparers_;
  StopSource stop_;
  ByteBudget budget_;
  const EvaluationLimits limits_;
  const RowEvaluator evaluator_;
  Morsel current_;  // of the input, of which taken_ rows are taken; of the preparer that fills
  std::int64_t taken_ = 0;
  EmbedWindow window_;
  std::mutex making_mutex_;
  std::condition_variable made_changed_;
  std::int64_t made_ = 0;              // guarded by making_mutex_
  std::exception_ptr making_failure_;  // guarded by making_mutex_
  std::vector<std::unique_ptr<CallerThread>> callers_;
  std::vector<std::thread> threads_;  // preparers
};

}  // namespace

bool is_of_provider(const plan::ComputedColumn& column) {
  const auto* call = std::get_if<plan::EmbedCall>(&column.node->value);
  return call != nullptr && call->handle != nullptr;
}

std::unique_ptr<Operator> make_embed_rows(std::unique_ptr<Operator> input,
                                          const columnar::Schema& input_schema,
                                          const plan::ComputedColumn& column,
                                          const StepContext& context, bool ordered) {
  return std::make_unique<EmbedRows>(std::move(input), input_schema, column, context, ordered);
}

}  // namespace vecframe::exec
