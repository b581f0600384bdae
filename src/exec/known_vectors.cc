#include "exec/known_vectors.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace vecframe::exec {

KnownVectors::First::~First() {
  if (owner_ == nullptr) return;
  // Those that follow are not told: they must not leave as if they had ended.
  const std::vector<std::int64_t> tickets = owner_->duplicates_.fail(content_);
  std::lock_guard lock(owner_->mutex_);
  for (const std::int64_t ticket : tickets) owner_->followers_.erase(ticket);
}

void KnownVectors::First::finish(std::span<const float> vector) {
  KnownVectors& owner = *std::exchange(owner_, nullptr);
  const bool good =
      std::all_of(vector.begin(), vector.end(), [](float value) { return std::isfinite(value); });
  if (good && owner.cache_ != nullptr) owner.cache_->store(content_, vector);
  owner.tell(owner.duplicates_.finish(content_, vector), vector, nullptr);
}

void KnownVectors::First::fail(const RowError& error, Severity severity) {
  KnownVectors& owner = *std::exchange(owner_, nullptr);
  owner.tell(owner.duplicates_.fail(content_), {}, &error, severity);
}

KnownVectors::Known KnownVectors::look_up(const Hash128& content, Counters& counters) {
  Known known;
  std::vector<float> vector(dimension_);
  auto follower = std::make_shared<Follower>();
  std::int64_t ticket = 0;
  {
    // Before the row it may follow can know of it.
    std::lock_guard lock(mutex_);
    ticket = next_ticket_++;
    followers_.emplace(ticket, follower);
  }
  const Duplicates::Outcome outcome = duplicates_.enter(content, ticket, vector);
  if (outcome == Duplicates::Outcome::kFollows) {
    ++counters.duplicates;
    known.follower = std::move(follower);
    return known;
  }
  {
    std::lock_guard lock(mutex_);
    followers_.erase(ticket);
  }
  if (outcome == Duplicates::Outcome::kKnown) {
    ++counters.duplicates;
    known.vector = std::move(vector);
    return known;
  }
  if (cache_ == nullptr || !cache_->find(content, vector)) {
    known.first = std::make_unique<First>(*this, content);
    return known;
  }
  ++counters.cache_hits;
  tell(duplicates_.finish(content, vector), vector, nullptr);
  known.vector = std::move(vector);
  return known;
}

void KnownVectors::tell(const std::vector<std::int64_t>& tickets, std::span<const float> vector,
                        const RowError* error, Severity severity) {
  if (tickets.empty()) return;
  std::lock_guard lock(mutex_);
  for (const std::int64_t ticket : tickets) {
    const auto node = followers_.extract(ticket);
    Follower& follower = *node.mapped();
    follower.vector_.assign(vector.begin(), vector.end());
    if (error != nullptr) follower.error_ = *error;
    follower.severity_ = severity;
    follower.done_ = true;
  }
  told_.notify_all();
}

bool KnownVectors::wait(const Follower& follower, const CancellationToken& stopping) {
  std::unique_lock lock(mutex_);
  while (!follower.done_) {
    if (stopping.cancelled()) return false;
    told_.wait_for(lock, std::chrono::milliseconds(50));
  }
  return true;
}

}  // namespace vecframe::exec
