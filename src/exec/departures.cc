#include "exec/departures.h"

#include <algorithm>
#include <utility>

namespace vecframe::exec {

void Departures::let_one_leave(std::chrono::milliseconds patience) {
  std::optional<std::int64_t> ticket = take_held_back();
  if (!ticket) {
    {
      const StageClock::Scope waiting(counters_.write_wait);
      ticket = window_.wait_finished(patience);
    }
    if (!ticket) return;
    if (!accepts(*ticket)) {
      held_back_.push_back(*ticket);
      return;
    }
  }
  leave(*ticket);
  may_accept_ = true;
}

std::optional<std::int64_t> Departures::take_held_back() {
  if (!may_accept_) return std::nullopt;
  const auto found = std::find_if(held_back_.begin(), held_back_.end(),
                                  [this](std::int64_t ticket) { return accepts(ticket); });
  if (found == held_back_.end()) {
    may_accept_ = false;
    return std::nullopt;
  }
  const std::int64_t ticket = *found;
  held_back_.erase(found);
  return ticket;
}

void Departures::leave(std::int64_t ticket) {
  RowFacts& facts = window_.facts(ticket);
  Row row;
  row.index = facts.row;
  row.path = std::move(facts.path);
  row.error = std::move(facts.error);
  row.width = facts.width;
  row.height = facts.height;
  row.format = facts.format;
  if (options_.has_vectors && !row.error) row.embedding = window_.vector(ticket);
  consumer_.take(row);
  window_.pop(ticket);
}

}  // namespace vecframe::exec
