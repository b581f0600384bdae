#include "providers/remote/batch_sender.h"

#include <vecframe/error.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

#include "providers/remote/answer.h"
#include "providers/remote/refusal.h"

namespace vecframe::providers {
namespace {

constexpr unsigned kMostEncoders = 4;
// Requests that wait encoded beyond those for which there is room in flight.
constexpr std::size_t kEncodedAhead = 1;

HttpEngineOptions engine_options(const Endpoint& endpoint, const SendRules& rules) {
  HttpEngineOptions options;
  options.http.total_timeout = rules.timeout;
  options.http.connect_timeout = std::min(options.http.connect_timeout, rules.timeout);
  // A server that computes is silent for as long as it takes: the time of the whole request is what
  // bounds it.
  options.http.low_speed_time =
      std::chrono::ceil<std::chrono::seconds>(rules.timeout) + std::chrono::seconds(1);
  options.http.ca_file = endpoint.ca_file;
  options.capacity = static_cast<std::size_t>(std::max(rules.concurrency, 1));
  options.connections_per_host = std::max(rules.concurrency, 1);
  return options;
}

}  // namespace

BatchSender::BatchSender(Endpoint endpoint, std::string key, SendRules rules,
                         std::shared_ptr<const CancellationToken> cancellation)
    : endpoint_(std::move(endpoint)),
      key_(std::move(key)),
      rules_(rules),
      cancellation_(std::move(cancellation)),
      queue_(endpoint_, rules_) {
  engine_.emplace(engine_options(endpoint_, rules_), cancellation_.get(), [this] { send_more(); });
  const unsigned encoders = std::clamp(std::thread::hardware_concurrency(), 1u, kMostEncoders);
  for (unsigned i = 0; i < encoders; ++i) threads_.emplace_back([this] { run_encoder(); });
}

BatchSender::~BatchSender() {
  {
    const Lock lock(mutex_);
    closing_ = true;
  }
  encoders_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  engine_.reset();
}

void BatchSender::submit(std::size_t rows, const ItemShape& shape, RowEncoder encode,
                         Completion done) {
  Lock lock(mutex_);
  work_.push_back({queue_.open(rows, std::move(done)), &shape, std::move(encode), 0, rows});
  send(lock);
}

std::size_t BatchSender::requests() const {
  const Lock lock(mutex_);
  return requests_;
}

bool BatchSender::may_encode() const {
  const auto room =
      static_cast<std::size_t>(std::max(queue_.limit().limit() - queue_.limit().in_flight(), 0));
  return !work_.empty() && queue_.waiting() + encoding_ < room + kEncodedAhead;
}

void BatchSender::run_encoder() {
  Lock lock(mutex_);
  for (;;) {
    encoders_.wait(lock, [&] { return closing_ || may_encode(); });
    if (closing_) return;
    Work work = std::move(work_.front());
    work_.pop_front();
    ++encoding_;
    queue_.begin_part(*work.batch);
    const std::size_t most = queue_.most_bytes();
    lock.unlock();
    std::vector<SendQueue::Encoded> rows = encode(work, most);
    lock.lock();
    --encoding_;
    const std::size_t first = std::exchange(work.next, work.next + rows.size());
    queue_.add(work.batch, *work.shape, first, std::move(rows), SendQueue::TimePoint::clock::now());
    if (work.next < work.rows && !queue_.stopped()) work_.push_front(std::move(work));
    send(lock);
    lock.lock();
  }
}

// The next rows of a batch that fill a request, or all that are left.
std::vector<SendQueue::Encoded> BatchSender::encode(const Work& work,
                                                    std::size_t most_bytes) const {
  std::vector<SendQueue::Encoded> rows;
  std::size_t bytes = 0;
  const auto one_more_fits = [&] {
    return rows.empty() || bytes + bytes / rows.size() <= most_bytes;  // as large as the others
  };
  for (std::size_t i = work.next; i < work.rows && one_more_fits(); ++i) {
    try {
      if (cancellation_->cancelled()) throw Cancelled();
      Result<std::string> text = work.encode(i);
      if (text.ok()) {
        bytes += text->size();
        rows.emplace_back(std::make_shared<const std::string>(std::move(*text)));
      } else {
        rows.emplace_back(std::move(text).error());
      }
    } catch (const std::exception& error) {
      rows.emplace_back(RowError{Stage::kEmbed, ErrorCode::kEmbedderFailed, error.what()});
    }
  }
  return rows;
}

void BatchSender::send_more() {
  Lock lock(mutex_);
  send(lock);
}

// Begins what may begin, and unlocks to call the completions of what is done.
void BatchSender::send(Lock& lock) {
  try {
    if (cancellation_->cancelled()) queue_.stop(std::make_exception_ptr(Cancelled()));
    const auto now = SendQueue::TimePoint::clock::now();
    while (!queue_.stopped()) {
      std::optional<SendQueue::Group> group = queue_.next(now);
      if (!group || !begin(std::move(*group))) break;
    }
    if (const auto time = queue_.wake_time(now)) engine_->wake_at(*time);
  } catch (const std::exception& error) {
    queue_.stop(std::make_exception_ptr(RunError(endpoint_.provider + ": " + error.what())));
  }
  if (queue_.stopped()) work_.clear();
  complete(lock);
}

bool BatchSender::begin(SendQueue::Group group) {
  HttpUpload fragments;
  fragments.reserve(group.rows.size());
  for (const SendQueue::Row& row : group.rows) fragments.push_back(row.text);
  HttpRequest request = request_to(endpoint_, key_);
  request.upload = request_body(endpoint_, *group.shape, fragments, group.as_base64);
  const std::size_t most = longest_answer(group.rows.size(), endpoint_.dimension);
  // Shared, because a std::function must be copyable.
  const auto shared = std::make_shared<SendQueue::Group>(std::move(group));
  const bool begun = engine_->submit(std::move(request), most, [this, shared](HttpOutcome outcome) {
    take(std::move(*shared), std::move(outcome));
  });
  if (begun) {
    ++requests_;
  } else {
    queue_.put_back(std::move(*shared));
  }
  return begun;
}

// On the engine's thread.
void BatchSender::take(SendQueue::Group group, HttpOutcome outcome) {
  try {
    apply(std::move(group), std::move(outcome));
  } catch (const std::exception& error) {
    Lock lock(mutex_);
    queue_.stop(std::make_exception_ptr(RunError(endpoint_.provider + ": " + error.what())));
    send(lock);
  }
}

void BatchSender::apply(SendQueue::Group group, HttpOutcome outcome) {
  // Read before the lock is taken: others go on meanwhile.
  std::optional<Refusal> refusal;
  std::variant<AnswerRows, AnswerFault> answer;
  if (!outcome.error && !outcome.cancelled) {
    if (outcome.response.status / 100 == 2) {
      answer = read_answer(endpoint_.format->answer, outcome.body, group.rows.size(),
                           endpoint_.dimension);
      const auto* fault = std::get_if<AnswerFault>(&answer);
      if (fault != nullptr && fault->is_error)
        refusal = read_refusal(outcome.response, outcome.body, key_);
    } else {
      refusal = read_refusal(outcome.response, outcome.body, key_);
    }
  }
  Lock lock(mutex_);
  const auto now = SendQueue::TimePoint::clock::now();
  if (outcome.cancelled) {
    queue_.stop(std::make_exception_ptr(Cancelled()));
  } else if (outcome.error) {
    queue_.broken(std::move(group), *outcome.error, now);
  } else if (refusal) {
    queue_.refused(std::move(group), *refusal, now);
  } else if (auto* vectors = std::get_if<AnswerRows>(&answer)) {
    queue_.answered(std::move(group), std::move(*vectors), now);
  } else {
    queue_.faulty(std::move(group), std::get<AnswerFault>(answer), now);
  }
  send(lock);
}

void BatchSender::complete(Lock& lock) {
  auto finished = queue_.take_finished();
  const bool more = may_encode();
  lock.unlock();
  if (more) encoders_.notify_all();
  for (auto& [done, result] : finished) done(std::move(result));
}

}  // namespace vecframe::providers
