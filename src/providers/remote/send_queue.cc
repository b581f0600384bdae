#include "providers/remote/send_queue.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>
#include <iterator>

namespace vecframe::providers {
namespace {

using std::chrono::milliseconds;

// A server that closes the connection in the midst of so large a request may mean its size.
constexpr std::size_t kLargeRequest = std::size_t{1} << 20;

}  // namespace

struct SendQueue::Batch {
  Completion done;
  std::vector<RowVector> rows;  // neither values nor error: open
  std::size_t open = 0;
  bool is_read = false;  // between begin_part() and add()
};

struct SendQueue::Doubt {
  std::size_t open = 0;           // rows of which nothing is known yet
  std::size_t most_accepted = 0;  // rows of the largest request that was answered
  bool row_refused = false;
};

std::size_t SendQueue::Group::bytes() const {
  std::size_t total = 0;
  for (const Row& row : rows)
    total += row.text->size() + shape->before.size() + shape->after.size() + 1;
  return total;
}

SendQueue::SendQueue(const Endpoint& endpoint, const SendRules& rules)
    : endpoint_(endpoint),
      rules_(rules),
      limit_(rules.concurrency),
      limits_(endpoint.format->limits),
      ask_base64_(!endpoint.format->base64_member.empty()) {}

std::shared_ptr<SendQueue::Batch> SendQueue::open(std::size_t rows, Completion done) {
  auto batch = std::make_shared<Batch>();
  batch->done = std::move(done);
  batch->rows.resize(rows);
  batch->open = rows;
  open_.push_back(batch);
  if (stopped_ || rows == 0) finish(*batch);
  return batch;
}

void SendQueue::begin_part(Batch& batch) { batch.is_read = true; }

void SendQueue::add(const std::shared_ptr<Batch>& batch, const ItemShape& shape, std::size_t first,
                    std::vector<Encoded> rows, TimePoint now) {
  batch->is_read = false;
  if (stopped_) {
    if (batch->done) finish(*batch);
    return;
  }
  Group group;
  group.batch = batch;
  group.shape = &shape;
  group.deadline = now + rules_.row_deadline;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].ok()) {
      group.rows.push_back({first + i, std::move(*rows[i])});
    } else {
      set_row(*batch, first + i, {{}, std::move(rows[i]).error().message});
    }
  }
  if (!group.rows.empty()) waiting_.push_back(std::move(group));
}

// Rows beyond what the server takes at a time go back to the front.
SendQueue::Group SendQueue::cut_to_limits(Group group) {
  std::size_t count = 0, bytes = 0;
  for (const Row& row : group.rows) {
    bytes += row.text->size() + group.shape->before.size() + group.shape->after.size() + 1;
    if (count > 0 && (count == limits_.items || bytes > limits_.bytes)) break;
    ++count;
  }
  if (count == group.rows.size()) return group;
  Group rest = group;
  rest.rows.erase(rest.rows.begin(), rest.rows.begin() + static_cast<std::ptrdiff_t>(count));
  group.rows.resize(count);
  waiting_.push_front(std::move(rest));
  return group;
}

std::optional<SendQueue::Group> SendQueue::next(TimePoint now) {
  // Rows that would wait beyond their deadline are not kept until then.
  for (std::size_t i = 0; i < waiting_.size();) {
    const TimePoint earliest = std::max({now, waiting_[i].not_before, limit_.quiet_until()});
    if (earliest <= waiting_[i].deadline) {
      ++i;
      continue;
    }
    Group late = std::move(waiting_[i]);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    const auto wait = std::chrono::ceil<std::chrono::seconds>(earliest - now);
    fail_rows(late,
              fmt::format("{}; the next try would be {} s later, beyond the deadline of the row",
                          late.last_failure.empty() ? "the server asks to wait" : late.last_failure,
                          wait.count()));
  }
  if (!limit_.may_send(now)) return {};
  const auto ready = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const Group& group) { return group.not_before <= now; });
  if (ready == waiting_.end()) return {};
  Group group = std::move(*ready);
  waiting_.erase(ready);
  group = cut_to_limits(std::move(group));
  group.as_base64 = ask_base64_;
  group.window = limit_.begin();
  return group;
}

void SendQueue::put_back(Group group) {
  limit_.end(group.window, AdaptiveLimit::Outcome::kOther);
  if (!stopped_) waiting_.push_front(std::move(group));
}

void SendQueue::answered(Group group, AnswerRows vectors, TimePoint /*now*/) {
  limit_.end(group.window, AdaptiveLimit::Outcome::kSuccess);
  answered_last_ = true;
  Group again = group;
  again.rows.clear();
  for (std::size_t i = 0; i < group.rows.size(); ++i) {
    const bool once_more = !vectors[i].error.empty() && group.rows.size() > 1 && !group.asked_twice;
    if (once_more) {
      again.rows.push_back(group.rows[i]);
    } else {
      set_row(*group.batch, group.rows[i].index, std::move(vectors[i]));
    }
  }
  resolve_doubt(group, group.rows.size() - again.rows.size(), true, false);
  again.asked_twice = true;
  if (!again.rows.empty() && !stopped_) waiting_.push_front(std::move(again));
}

void SendQueue::faulty(Group group, const AnswerFault& fault, TimePoint /*now*/) {
  limit_.end(group.window, AdaptiveLimit::Outcome::kOther);
  if (group.rows.size() > 1 && !group.asked_twice) {
    group.asked_twice = true;
    halve(std::move(group));
  } else {
    fail_rows(group, fault.message);
  }
}

void SendQueue::refused(Group group, const Refusal& refusal, TimePoint now) {
  using Kind = Refusal::Kind;
  using Outcome = AdaptiveLimit::Outcome;
  const bool later = refusal.kind == Kind::kBusy || refusal.kind == Kind::kFailed;
  limit_.end(group.window, later ? Outcome::kOverloaded : Outcome::kOther);
  if (stopped_) return;
  group.last_failure = refusal.message;
  switch (refusal.kind) {
    case Kind::kRun:
      stop(std::make_exception_ptr(RunError(run_message(refusal))));
      return;
    case Kind::kBase64:
      if (group.as_base64) {
        ask_base64_ = false;
        waiting_.push_front(std::move(group));
        return;
      }
      [[fallthrough]];
    case Kind::kRows:
      if (group.rows.size() == 1) {
        resolve_doubt(group, 1, false, true);
        fail_rows(group, refusal.message);
        return;
      }
      if (!group.doubt) {
        group.doubt = std::make_shared<Doubt>();
        group.doubt->open = group.rows.size();
      }
      halve(std::move(group));
      return;
    case Kind::kTooLarge:
      if (group.rows.size() == 1) {
        resolve_doubt(group, 1, false, true);
        fail_rows(group, refusal.message);
        return;
      }
      limits_.bytes = std::min(limits_.bytes, group.bytes() / 2);
      halve(std::move(group));
      return;
    case Kind::kBusy:
      limit_.keep_quiet_until(now + (refusal.wait ? *refusal.wait + backoff(0) / 2
                                                  : backoff(limit_.overloads_in_a_row())));
      waiting_.push_front(std::move(group));
      return;
    case Kind::kFailed:
      // A server that names a time means all requests.
      if (refusal.wait) limit_.keep_quiet_until(now + *refusal.wait);
      if (group.failures >= rules_.max_retries) {
        fail_or_split(std::move(group), refusal.message, now);
      } else {
        try_later(std::move(group), refusal.wait, now);
      }
      return;
  }
}

void SendQueue::broken(Group group, const HttpError& error, TimePoint now) {
  using Kind = HttpError::Kind;
  const bool later = error.transient();
  limit_.end(group.window,
             later ? AdaptiveLimit::Outcome::kOverloaded : AdaptiveLimit::Outcome::kOther);
  if (stopped_) return;
  group.last_failure = error.what();
  const bool last = group.failures >= rules_.max_retries;
  if (error.kind() == Kind::kUntrusted || (error.kind() == Kind::kConnect && last)) {
    stop(std::make_exception_ptr(RunError(fmt::format(
        "{}: {}; check base_url ({})", endpoint_.provider, error.what(), endpoint_.base_url))));
  } else if (error.kind() == Kind::kProtocol) {
    if (group.rows.size() > 1 && !group.asked_twice) {
      group.asked_twice = true;
      halve(std::move(group));
    } else {
      fail_rows(group, error.what());
    }
  } else if (last) {
    fail_or_split(std::move(group), error.what(), now);
  } else {
    try_later(std::move(group), {}, now);
  }
}

void SendQueue::try_later(Group group, std::optional<milliseconds> wait, TimePoint now) {
  // An answer just before counts too: the last batch of a run has nobody beside it.
  if (group.failures == 0) group.successes_before = limit_.successes() - (answered_last_ ? 1 : 0);
  answered_last_ = false;
  const milliseconds own = backoff(group.failures++);
  group.not_before = now + wait.value_or(milliseconds(0)) + own;
  // One at a time and still too many: whoever is next would only find the same.
  if (limit_.limit() == 1) limit_.keep_quiet_until(now + own);
  waiting_.push_back(std::move(group));
}

// After the last retry. Where others got through just before or meanwhile, one row may be what the
// server fails at; so may the size.
void SendQueue::fail_or_split(Group group, const std::string& message, TimePoint /*now*/) {
  const bool others_passed = limit_.successes() > group.successes_before;
  if (group.rows.size() > 1 && (others_passed || group.bytes() >= kLargeRequest)) {
    halve(std::move(group));
  } else {
    fail_rows(group, fmt::format("{} ({} tries)", message, group.failures + 1));
  }
}

void SendQueue::halve(Group group) {
  if (stopped_) return;
  Group second = group;
  const auto middle = static_cast<std::ptrdiff_t>((group.rows.size() + 1) / 2);
  second.rows.erase(second.rows.begin(), second.rows.begin() + middle);
  group.rows.resize(static_cast<std::size_t>(middle));
  waiting_.push_front(std::move(second));
  waiting_.push_front(std::move(group));
}

// Where all rows of a refused request were accepted in smaller ones, their number was the fault.
void SendQueue::resolve_doubt(Group& group, std::size_t rows, bool succeeded, bool refused) {
  if (!group.doubt) return;
  Doubt& doubt = *group.doubt;
  doubt.open -= std::min(doubt.open, rows);
  if (succeeded) doubt.most_accepted = std::max(doubt.most_accepted, group.rows.size());
  doubt.row_refused = doubt.row_refused || refused;
  if (doubt.open == 0 && !doubt.row_refused && doubt.most_accepted > 0)
    limits_.items = std::min(limits_.items, doubt.most_accepted);
}

milliseconds SendQueue::backoff(int failures) {
  const milliseconds most = std::min(
      rules_.longest_wait, rules_.first_wait * (std::int64_t{1} << std::min(failures, 20)));
  return milliseconds(std::uniform_int_distribution<std::int64_t>(0, most.count())(random_));
}

void SendQueue::set_row(Batch& batch, std::size_t row, RowVector result) {
  if (!batch.done) return;  // it ended with the run
  batch.rows[row] = std::move(result);
  if (--batch.open == 0) finish(batch);
}

void SendQueue::fail_rows(Group& group, const std::string& message) {
  for (const Row& row : group.rows) set_row(*group.batch, row.index, {{}, message});
}

void SendQueue::finish(Batch& batch) {
  BatchResult result = std::move(batch.rows);
  if (stopped_) result = stopped_;
  finished_.emplace_back(std::exchange(batch.done, nullptr), std::move(result));
  std::erase_if(open_, [&](const auto& open) { return open.get() == &batch; });
}

void SendQueue::stop(std::exception_ptr why) {
  if (stopped_) return;
  stopped_ = std::move(why);
  waiting_.clear();
  for (const std::shared_ptr<Batch>& batch : std::vector(open_)) {
    if (!batch->is_read) finish(*batch);
  }
}

std::string SendQueue::run_message(const Refusal& refusal) const {
  const std::string& key = endpoint_.key_name;
  std::string fix;
  switch (refusal.status) {
    case 401:
    case 402:
    case 403:
    case 429:
      fix = "check the key and its account: " + key;
      break;
    case 404:
    case 405:
      fix = fmt::format("check base_url and model='{}'", endpoint_.model);
      break;
    default:
      fix = refusal.status / 100 == 3
                ? "give the address it leads to as base_url"
                : fmt::format("check model='{}' and the options, {}", endpoint_.model, key);
  }
  return fmt::format("{}: {}: {}; {}", endpoint_.provider, endpoint_.base_url, refusal.message,
                     fix);
}

std::optional<SendQueue::TimePoint> SendQueue::wake_time(TimePoint now) const {
  std::optional<TimePoint> first;
  for (const Group& group : waiting_) {
    const TimePoint at = std::max(group.not_before, limit_.quiet_until());
    if (at > now && (!first || at < *first)) first = at;
  }
  return first;
}

std::vector<std::pair<SendQueue::Completion, SendQueue::BatchResult>> SendQueue::take_finished() {
  return std::exchange(finished_, {});
}

}  // namespace vecframe::providers
