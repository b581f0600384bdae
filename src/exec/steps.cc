#include "exec/steps.h"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "exec/map_step.h"
#include "exec/sources.h"
#include "exec/vector_column.h"

namespace vecframe::exec {
namespace {

using columnar::Morsel;
using columnar::Schema;

class ScalarColumn final : public Operator {
 public:
  ScalarColumn(std::unique_ptr<Operator> input, const Schema& schema, const plan::ScalarStep& step,
               const storage::Relational& relational)
      : input_(std::move(input)), schema_(schema), step_(step), relational_(relational) {}

  std::optional<Morsel> next() override {
    std::optional<Morsel> morsel = input_->next();
    if (morsel) morsel->columns.push_back(relational_.evaluate(step_.expression, schema_, *morsel));
    return morsel;
  }

 private:
  std::unique_ptr<Operator> input_;
  const Schema& schema_;
  const plan::ScalarStep& step_;
  const storage::Relational& relational_;
};

class Filter final : public Operator {
 public:
  Filter(std::unique_ptr<Operator> input, const Schema& schema, const plan::FilterStep& step,
         const storage::Relational& relational)
      : input_(std::move(input)),
        schema_(schema),
        mask_(static_cast<std::size_t>(schema.find(step.mask))),
        relational_(relational) {}

  std::optional<Morsel> next() override {
    for (;;) {
      const std::optional<Morsel> morsel = input_->next();
      if (!morsel) return std::nullopt;
      Morsel kept = relational_.filter(schema_, *morsel, morsel->columns[mask_]);
      if (kept.num_rows > 0) return kept;
    }
  }

 private:
  std::unique_ptr<Operator> input_;
  const Schema& schema_;
  const std::size_t mask_;
  const storage::Relational& relational_;
};

class Limit final : public Operator {
 public:
  Limit(std::unique_ptr<Operator> input, std::int64_t count)
      : input_(std::move(input)), left_(count) {}

  std::optional<Morsel> next() override {
    if (left_ == 0) return std::nullopt;
    std::optional<Morsel> morsel = input_->next();
    if (!morsel) return std::nullopt;
    if (morsel->num_rows > left_) *morsel = columnar::slice(*morsel, 0, left_);
    left_ -= morsel->num_rows;
    return morsel;
  }

 private:
  std::unique_ptr<Operator> input_;
  std::int64_t left_;
};

// Holds all rows of its input, or, where only the first few are asked for, some more than those.
class Sorted final : public Operator {
 public:
  Sorted(std::unique_ptr<Operator> input, const Schema& schema, const plan::SortStep& step,
         const storage::Relational& relational)
      : input_(std::move(input)), schema_(schema), step_(step), relational_(relational) {}

  std::optional<Morsel> next() override {
    if (input_) {
      while (std::optional<Morsel> morsel = input_->next()) {
        held_ += morsel->num_rows;
        morsels_.push_back(std::move(*morsel));
        if (step_.first && held_ >= kHeldRows && held_ / 2 >= *step_.first) drop_the_rest();
      }
      input_.reset();
      rows_ = relational_.sort_rows(schema_, morsels_, step_.keys);
    }
    if (taken_ == rows_.size()) return std::nullopt;
    const std::size_t count = std::min(kMorselRows, rows_.size() - taken_);
    Morsel morsel = relational_.take(schema_, morsels_, std::span(rows_).subspan(taken_, count));
    taken_ += count;
    return morsel;
  }

 private:
  static constexpr std::size_t kMorselRows = 4096;
  static constexpr std::int64_t kHeldRows = 8192;

  // Sorting is stable, so the rows that stay are in front of equal ones that follow.
  void drop_the_rest() {
    std::vector<std::int64_t> rows = relational_.sort_rows(schema_, morsels_, step_.keys);
    rows.resize(std::min(rows.size(), static_cast<std::size_t>(*step_.first)));
    Morsel kept = relational_.take(schema_, morsels_, rows);
    morsels_.clear();
    held_ = kept.num_rows;
    morsels_.push_back(std::move(kept));
  }

  std::unique_ptr<Operator> input_;
  const Schema& schema_;
  const plan::SortStep& step_;
  const storage::Relational& relational_;
  std::vector<Morsel> morsels_;
  std::int64_t held_ = 0;  // rows of them
  std::vector<std::int64_t> rows_;
  std::size_t taken_ = 0;
};

class SampledFraction final : public Operator {
 public:
  SampledFraction(std::unique_ptr<Operator> input, const Schema& schema, const plan::Sample& sample,
                  const storage::Relational& relational)
      : input_(std::move(input)),
        schema_(schema),
        fraction_(*sample.fraction),
        random_(sample.seed),
        relational_(relational) {}

  std::optional<Morsel> next() override {
    for (;;) {
      const std::optional<Morsel> morsel = input_->next();
      if (!morsel) return std::nullopt;
      std::vector<std::int64_t> rows;
      for (std::int64_t row = 0; row < morsel->num_rows; ++row)
        if (uniform() < fraction_) rows.push_back(row);
      if (!rows.empty()) return relational_.take(schema_, {&*morsel, 1}, rows);
    }
  }

 private:
  // In [0, 1), the same on every platform.
  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  std::unique_ptr<Operator> input_;
  const Schema& schema_;
  const double fraction_;
  std::mt19937_64 random_;
  const storage::Relational& relational_;
};

// So many rows, each set of them as likely as any other, in the order of the input.
class SampledRows final : public Operator {
 public:
  SampledRows(std::unique_ptr<Operator> input, const Schema& schema, const plan::Sample& sample,
              const storage::Relational& relational)
      : input_(std::move(input)),
        schema_(schema),
        size_(static_cast<std::size_t>(*sample.size)),
        random_(sample.seed),
        relational_(relational) {}

  std::optional<Morsel> next() override {
    if (!input_) return std::nullopt;
    choose();
    input_.reset();
    if (chosen_.empty()) return std::nullopt;
    std::sort(chosen_.begin(), chosen_.end(),
              [](const Chosen& a, const Chosen& b) { return a.row < b.row; });
    std::vector<Morsel> rows;
    std::vector<std::int64_t> numbers;
    for (Chosen& chosen : chosen_) {
      numbers.push_back(static_cast<std::int64_t>(rows.size()));
      rows.push_back(std::move(chosen.morsel));
    }
    return relational_.take(schema_, rows, numbers);
  }

 private:
  struct Chosen {
    std::int64_t row;
    Morsel morsel;  // one row, copied, so that the rest of its morsel is let go
  };

  // Reservoir sampling (Vitter, 1985, algorithm R).
  void choose() {
    std::int64_t row = 0;
    while (const std::optional<Morsel> morsel = input_->next()) {
      for (std::int64_t i = 0; i < morsel->num_rows; ++i, ++row) {
        std::size_t place = chosen_.size();
        if (place == size_) {
          place = static_cast<std::size_t>(random_() % static_cast<std::uint64_t>(row + 1));
          if (place >= size_) continue;
        } else {
          chosen_.emplace_back();
        }
        chosen_[place] = {row, relational_.take(schema_, {&*morsel, 1}, {&i, 1})};
      }
    }
  }

  std::unique_ptr<Operator> input_;
  const Schema& schema_;
  const std::size_t size_;
  std::mt19937_64 random_;
  const storage::Relational& relational_;
  std::vector<Chosen> chosen_;
};

class Concatenated final : public Operator {
 public:
  Concatenated(std::unique_ptr<Operator> first, std::unique_ptr<Operator> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  std::optional<Morsel> next() override {
    if (first_) {
      if (std::optional<Morsel> morsel = first_->next()) return morsel;
      first_.reset();
    }
    return second_->next();
  }

 private:
  std::unique_ptr<Operator> first_, second_;
};

class Project final : public Operator {
 public:
  Project(std::unique_ptr<Operator> input, const Schema& schema, const plan::ProjectStep& step)
      : input_(std::move(input)) {
    for (const auto& [from, to] : step.columns)
      columns_.push_back(static_cast<std::size_t>(schema.find(from)));
  }

  std::optional<Morsel> next() override {
    std::optional<Morsel> morsel = input_->next();
    if (!morsel) return std::nullopt;
    Morsel result;
    result.num_rows = morsel->num_rows;
    for (const std::size_t column : columns_) result.columns.push_back(morsel->columns[column]);
    return result;
  }

 private:
  std::unique_ptr<Operator> input_;
  std::vector<std::size_t> columns_;
};

// Whether what comes out of the step depends on the order of the rows that go in, and not only
// their order: equal rows of a sort come as they were, and those that a limit cuts off are others.
bool needs_order(const plan::Step& step) {
  return std::holds_alternative<plan::LimitStep>(step.value) ||
         std::holds_alternative<plan::SampleStep>(step.value) ||
         std::holds_alternative<plan::SortStep>(step.value);
}

std::unique_ptr<Operator> open_chain(const plan::StepPlan& plan, const StepContext& context,
                                     bool ordered);

class CountedSource final : public Operator {
 public:
  CountedSource(std::unique_ptr<Operator> source, const StepContext& context)
      : source_(std::move(source)), counters_(context.counters) {}

  std::optional<Morsel> next() override {
    std::optional<Morsel> morsel = source_->next();
    if (morsel) counters_->rows_listed += morsel->num_rows;
    return morsel;
  }

 private:
  std::unique_ptr<Operator> source_;
  const std::shared_ptr<Counters> counters_;
};

struct Opener {
  const StepContext& context;
  const bool ordered;
  const Schema& input_schema;
  const Schema& schema;
  std::unique_ptr<Operator> input;

  std::unique_ptr<Operator> operator()(const plan::SourceStep& step) {
    auto source = std::make_unique<CountedSource>(context.open_source(step, schema), context);
    if (context.morsel_rows == 0) return source;
    return open_sliced(std::move(source), context.morsel_rows);
  }
  std::unique_ptr<Operator> operator()(const plan::MapStep& step) {
    return open_map(std::move(input), input_schema, step, context, ordered);
  }
  std::unique_ptr<Operator> operator()(const plan::ScalarStep& step) {
    return std::make_unique<ScalarColumn>(std::move(input), input_schema, step,
                                          context.relational());
  }
  std::unique_ptr<Operator> operator()(const plan::VectorStep& step) {
    return make_vector_column(std::move(input), input_schema, step);
  }
  std::unique_ptr<Operator> operator()(const plan::FilterStep& step) {
    return std::make_unique<Filter>(std::move(input), input_schema, step, context.relational());
  }
  std::unique_ptr<Operator> operator()(const plan::LimitStep& step) {
    return std::make_unique<Limit>(std::move(input), step.count);
  }
  std::unique_ptr<Operator> operator()(const plan::SortStep& step) {
    return std::make_unique<Sorted>(std::move(input), input_schema, step, context.relational());
  }
  std::unique_ptr<Operator> operator()(const plan::SampleStep& step) {
    if (step.sample.fraction)
      return std::make_unique<SampledFraction>(std::move(input), input_schema, step.sample,
                                               context.relational());
    return std::make_unique<SampledRows>(std::move(input), input_schema, step.sample,
                                         context.relational());
  }
  std::unique_ptr<Operator> operator()(const plan::ConcatStep& step) {
    return std::make_unique<Concatenated>(std::move(input),
                                          open_chain(*step.other, context, ordered));
  }
  std::unique_ptr<Operator> operator()(const plan::ProjectStep& step) {
    return std::make_unique<Project>(std::move(input), input_schema, step);
  }
};

// `ordered`: of what comes out of the last step.
std::unique_ptr<Operator> open_chain(const plan::StepPlan& plan, const StepContext& context,
                                     bool ordered) {
  std::size_t first_free = 0;  // of the steps behind which the order no longer matters
  if (ordered) first_free = plan.steps.size();
  for (std::size_t i = first_free; i < plan.steps.size(); ++i)
    if (needs_order(plan.steps[i])) first_free = i;
  std::unique_ptr<Operator> last;
  const Schema* before = &plan.steps.front().schema;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const plan::Step& step = plan.steps[i];
    last = std::visit(Opener{context, i < first_free, *before, step.schema, std::move(last)},
                      step.value);
    before = &step.schema;
  }
  return last;
}

}  // namespace

std::unique_ptr<Operator> open_steps(const plan::StepPlan& plan, const StepContext& context) {
  return open_chain(plan, context, context.ordered);
}

}  // namespace vecframe::exec
