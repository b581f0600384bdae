// Evaluates expressions of pictures and bytes for one row at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/byte_budget.h"
#include "base/cancellation.h"
#include "base/result.h"
#include "columnar/morsel.h"
#include "columnar/schema.h"
#include "exec/connection_limits.h"
#include "exec/gate.h"
#include "exec/row_value.h"
#include "exec/stage_clock.h"
#include "image/prepare.h"
#include "image/probe.h"
#include "plan/expression_node.h"

namespace vecframe::exec {

/// Reads a path or URL. Asks `reserve` for the bytes it will hold before it holds them, and gives
/// up when that says no. Thread-safe. Errors: stage read.
using Reserve = std::function<bool(std::int64_t bytes)>;
using Fetch = std::function<Result<std::vector<std::byte>>(const std::string& location,
                                                           const Reserve& reserve)>;

/// What all workers of a run share.
struct EvaluationLimits {
  ByteBudget& budget;  ///< for files and pictures in flight
  const CancellationToken& stopping;
  const Fetch& fetch;
  image::DecodeLimits decode;
  std::shared_ptr<ConnectionLimits> connections = std::make_shared<ConnectionLimits>();
  /// How many rows are read, and how many decoded or worked on otherwise, at a time; null: any
  /// number.
  std::shared_ptr<Gate> reading = {}, preparing = {};
  std::shared_ptr<Counters> counters = std::make_shared<Counters>();

  /// How many rows wait to be read, for others that are.
  std::int64_t waiting_to_read() const {
    return connections->waiting() + (reading ? reading->waiting() : 0);
  }
  /// For work that waits for nothing; empty where any number may work, or once the run stops.
  Gate::Pass enter_preparing() const {
    return preparing ? preparing->enter(stopping) : Gate::Pass();
  }
};

/// What a failure means.
enum class Severity : std::uint8_t {
  kNull,      ///< a null value and no more: on_error="null"
  kDeferred,  ///< the call that takes the value decides
  kFatal,     ///< the end of the run: on_error="raise"
};

/// What became of one row besides its value.
struct RowOutcome {
  std::optional<RowError> cause;        ///< why the value is null, where a row went wrong
  Severity severity = Severity::kNull;  ///< of `cause`
  std::string source;                   ///< the path or URL it was read from, if any
  std::optional<image::Whole> whole;    ///< of a picture that was decoded reduced, until its resize
};

/// Reads columns of morsels of one schema.
///
/// A row takes credit for its file before it is read, and for its picture before it is decoded. If
/// the second is not free at once, the file is let go, both are waited for together, and the file
/// is read again: so nobody waits while holding what others wait for. Gates are entered after all
/// credit is there, but that of reading, behind which rows wait for credit that no row before it
/// holds.
class RowEvaluator {
 public:
  /// `node` refers to columns of `schema` and calls functions of pictures and bytes only. `prepare`
  /// is what its pictures go through next, if that is known.
  RowEvaluator(std::shared_ptr<const plan::ExpressionNode> node, const columnar::Schema& schema,
               const EvaluationLimits& limits, const image::PrepareSpec* prepare = nullptr);

  /// Null after a failure, whose cause is in `outcome`. What it holds is counted against the budget
  /// until `credit` is released. Thread-safe.
  RowValue evaluate(const columnar::Morsel& morsel, std::int64_t row, RowOutcome& outcome,
                    RowCredit& credit) const;

  /// The call of decode_image whose picture the expression is, or null; then it can be evaluated in
  /// two steps.
  const plan::FunctionCall* decoding() const;
  /// The first: RowBytes, or null.
  RowValue evaluate_encoded(const columnar::Morsel& morsel, std::int64_t row, RowOutcome& outcome,
                            RowCredit& credit) const;
  /// The second.
  RowValue evaluate_decoded(RowValue encoded, RowOutcome& outcome, RowCredit& credit) const;
  /// Whether prepare_encoded() can be the second.
  bool prepares() const;
  /// The second step, and what `prepare` makes of its picture, whose slot it writes: with the bytes
  /// of image::prepare() and, where the picture need not be held as a whole, less memory and time.
  /// False after a failure.
  bool prepare_encoded(RowValue encoded, std::span<std::uint8_t> slot, RowOutcome& outcome,
                       RowCredit& credit) const;

 private:
  /// What it gives, or nothing, which is a failure, where the memory for it is refused.
  template <class Evaluate>
  auto guarded(RowOutcome& outcome, const Evaluate& evaluate) const -> decltype(evaluate());
  bool prepare(RowBytes bytes, std::span<std::uint8_t> slot, RowOutcome& outcome,
               RowCredit& credit) const;
  RowValue value_of(const plan::ExpressionNode& node, const columnar::Morsel& morsel,
                    std::int64_t row, RowOutcome& outcome, RowCredit& credit) const;
  RowValue column_value(const std::string& name, const columnar::Morsel& morsel, std::int64_t row,
                        RowOutcome& outcome) const;
  RowValue download(const plan::FunctionCall& call, RowValue location, RowOutcome& outcome,
                    RowCredit& credit) const;
  RowValue decode(const plan::FunctionCall& call, RowValue bytes, RowOutcome& outcome,
                  RowCredit& credit) const;
  RowValue header(const plan::FunctionCall& call, RowValue bytes, RowOutcome& outcome) const;
  Result<image::ImageInfo> probe(const plan::FunctionCall& call, const RowBytes& bytes) const;
  bool reserve_picture(RowBytes& bytes, std::int64_t needed, RowOutcome& outcome, Severity severity,
                       RowCredit& credit) const;

  std::shared_ptr<const plan::ExpressionNode> node_;
  const columnar::Schema schema_;
  const EvaluationLimits& limits_;
  const image::PrepareSpec* const prepare_;
  const plan::FunctionCall* resize_ = nullptr;  // the first after decode_image, if there is one
};

}  // namespace vecframe::exec
