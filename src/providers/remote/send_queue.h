// What becomes of rows on their way to a server: which go into one request, which are sent again,
// in halves or not at all. No threads and no clock: BatchSender has both.
#pragma once

#include <vecframe/provider.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "providers/http/http_error.h"
#include "providers/remote/adaptive_limit.h"
#include "providers/remote/answer.h"
#include "providers/remote/endpoint.h"
#include "providers/remote/refusal.h"

namespace vecframe::providers {

/// Not thread-safe.
class SendQueue {
 public:
  using TimePoint = AdaptiveLimit::TimePoint;
  /// As AsyncEmbedder has it.
  using BatchResult = std::variant<std::vector<RowVector>, std::exception_ptr>;
  using Completion = std::function<void(BatchResult)>;
  /// A row's part of a request, or why it has none.
  using Encoded = Result<std::shared_ptr<const std::string>>;

  /// Rows that came together and go back together.
  struct Batch;
  /// Requests by which it shall be found out why a larger one was refused.
  struct Doubt;
  struct Row {
    std::size_t index;  ///< in the batch
    std::shared_ptr<const std::string> text;
  };
  /// The rows of one request.
  struct Group {
    std::shared_ptr<Batch> batch;
    const ItemShape* shape = nullptr;
    std::vector<Row> rows;
    TimePoint not_before{}, deadline{};
    int failures = 0;
    std::int64_t successes_before = 0;  ///< of others, when it first failed
    bool asked_twice = false;           ///< after an answer of no use
    bool as_base64 = false;
    std::string last_failure;
    std::shared_ptr<Doubt> doubt;
    std::int64_t window = 0;  ///< of the AdaptiveLimit

    std::size_t bytes() const;
  };

  SendQueue(const Endpoint& endpoint, const SendRules& rules);

  /// Rows that will be added, all of them, in parts and in order.
  std::shared_ptr<Batch> open(std::size_t rows, Completion done);
  /// The rows of a batch are read from now until add(): it is not completed meanwhile.
  void begin_part(Batch& batch);
  void add(const std::shared_ptr<Batch>& batch, const ItemShape& shape, std::size_t first,
           std::vector<Encoded> rows, TimePoint now);
  /// The next request, if one may begin at `now`; it then counts as in flight until one of the
  /// four below has it back.
  std::optional<Group> next(TimePoint now);
  void answered(Group group, AnswerRows vectors, TimePoint now);
  void faulty(Group group, const AnswerFault& fault, TimePoint now);
  void refused(Group group, const Refusal& refusal, TimePoint now);
  void broken(Group group, const HttpError& error, TimePoint now);
  /// The request could not begin.
  void put_back(Group group);

  /// Ends all batches with this exception, now and later.
  void stop(std::exception_ptr why);
  bool stopped() const { return stopped_ != nullptr; }

  /// When next() is to be asked again though nothing else happens.
  std::optional<TimePoint> wake_time(TimePoint now) const;
  /// The most bytes of one request, as far as is known.
  std::size_t most_bytes() const { return limits_.bytes; }
  /// Groups that wait for their turn.
  std::size_t waiting() const { return waiting_.size(); }
  const AdaptiveLimit& limit() const { return limit_; }
  /// Batches that are done; their completions are to be called.
  std::vector<std::pair<Completion, BatchResult>> take_finished();

 private:
  std::chrono::milliseconds backoff(int failures);
  void set_row(Batch& batch, std::size_t row, RowVector result);
  void fail_rows(Group& group, const std::string& message);
  void fail_or_split(Group group, const std::string& message, TimePoint now);
  void halve(Group group);
  void resolve_doubt(Group& group, std::size_t rows, bool succeeded, bool refused);
  Group cut_to_limits(Group group);
  void try_later(Group group, std::optional<std::chrono::milliseconds> wait, TimePoint now);
  std::string run_message(const Refusal& refusal) const;
  void finish(Batch& batch);

  const Endpoint& endpoint_;
  const SendRules rules_;
  AdaptiveLimit limit_;
  bool answered_last_ = false;  // of the requests that ended: the last one was answered
  RequestLimits limits_;        // the dialect's, lowered by what was learned
  bool ask_base64_;
  std::deque<Group> waiting_;
  std::vector<std::shared_ptr<Batch>> open_;
  std::vector<std::pair<Completion, BatchResult>> finished_;
  std::exception_ptr stopped_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace vecframe::providers
