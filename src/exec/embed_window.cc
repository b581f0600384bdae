#include "exec/embed_window.h"

#include <algorithm>
#include <utility>

namespace vecframe::exec {
namespace {

// How soon starvation is noticed: nothing wakes up those who wait for a batch then.
constexpr std::chrono::milliseconds kLook{20};

}  // namespace

EmbedWindow::EmbedWindow(Rules rules, Fill fill, std::function<std::int64_t()> held_up)
    : rules_(rules),
      fill_(std::move(fill)),
      held_up_(std::move(held_up)),
      duplicates_(rules_.answers.dimension, rules_.kept_vector_bytes) {}

std::optional<EmbedWindow::RowPlace> EmbedWindow::take_row() {
  std::lock_guard source_lock(source_mutex_);
  if (open_ == nullptr) {
    {
      std::unique_lock lock(mutex_);
      needs_room_ = true;
      changed_.wait(lock, [&] { return stopped_ || ended_ || num_rows_ - popped_ < rules_.rows; });
      needs_room_ = false;
      if (stopped_ || ended_) return std::nullopt;
    }
    std::optional<columnar::Morsel> rows = fill_();
    std::lock_guard lock(mutex_);
    if (!rows) {
      ended_ = true;
      changed_.notify_all();
      return std::nullopt;
    }
    const auto count = static_cast<std::size_t>(rows->num_rows);
    auto chunk = std::make_unique<EmbedChunk>();
    chunk->rows = std::move(*rows);
    chunk->first_row = num_rows_;
    chunk->embedded.resize(count);
    chunk->vectors.resize(count);
    chunk->prepared.resize(count);
    chunk->unfinished = chunk->rows.num_rows;
    num_rows_ += chunk->rows.num_rows;
    chunks_.push_back(std::move(chunk));
    open_ = chunks_.back().get();
    next_ = 0;
  }
  const RowPlace place{open_, next_++};
  std::lock_guard lock(mutex_);
  if (next_ == open_->rows.num_rows) open_ = nullptr;
  if (stopped_) return std::nullopt;
  ++preparing_;
  return place;
}

bool EmbedWindow::prepared(RowPlace place, Prepared prepared) {
  std::lock_guard lock(mutex_);
  const std::int64_t row = place.chunk->first_row + place.row;
  const auto at = static_cast<std::size_t>(place.row);
  EmbeddedRow& embedded = place.chunk->embedded[at];
  embedded.outcome = std::move(prepared.outcome);
  place.chunk->prepared[at] = true;
  --preparing_;
  bool is_duplicate = false;
  if (std::holds_alternative<std::monostate>(prepared.input)) {
    finish(row);
  } else {
    std::vector<float> vector(static_cast<std::size_t>(rules_.answers.dimension));
    const Duplicates::Outcome outcome = duplicates_.enter(prepared.content, row, vector);
    is_duplicate = outcome != Duplicates::Outcome::kFirst;
    if (outcome == Duplicates::Outcome::kKnown) give(row, std::move(vector));
    if (!is_duplicate) {
      firsts_.emplace(row, prepared.content);
      waiting_.emplace(row, Waiting{std::move(prepared.input), std::move(prepared.credit)});
      last_prepared_ = BatchClock::now();
    }
  }
  settle();
  changed_.notify_all();
  return is_duplicate;
}

// Counts on over the rows that are prepared without a gap.
void EmbedWindow::settle() {
  if (!rules_.ordered) {
    // Chunks in the middle may have left; only those that are here can hold a gap.
    settled_ = num_rows_;
    for (const auto& chunk : chunks_) {
      const auto gap = std::find(chunk->prepared.begin(), chunk->prepared.end(), false);
      if (gap == chunk->prepared.end()) continue;
      settled_ = chunk->first_row + (gap - chunk->prepared.begin());
      return;
    }
    return;
  }
  while (settled_ < num_rows_) {
    EmbedChunk& chunk = chunk_of(settled_);
    if (!chunk.prepared[static_cast<std::size_t>(settled_ - chunk.first_row)]) return;
    if (waiting_.contains(settled_)) ++ready_;
    ++settled_;
  }
}

void EmbedWindow::give(std::int64_t row, Result<std::vector<float>> result) {
  EmbedChunk& chunk = chunk_of(row);
  const auto at = static_cast<std::size_t>(row - chunk.first_row);
  EmbeddedRow& embedded = chunk.embedded[at];
  if (result) {
    chunk.vectors[at] = std::move(result).value();
    embedded.vector = chunk.vectors[at];
  } else {
    embedded.outcome.cause = std::move(result).error();
    embedded.outcome.severity = Severity::kDeferred;
  }
  finish(row);
}

void EmbedWindow::finish(std::int64_t row) { --chunk_of(row).unfinished; }

EmbedChunk& EmbedWindow::chunk_of(std::int64_t row) {
  const auto after = std::upper_bound(
      chunks_.begin(), chunks_.end(), row,
      [](std::int64_t number, const auto& chunk) { return number < chunk->first_row; });
  return **std::prev(after);
}

bool EmbedWindow::is_starving(BatchClock::time_point now) const {
  if (waiting_.empty() || in_flight_ > 0 || !again_.empty()) return false;
  if (now - last_prepared_ >= rules_.patience) return true;
  if (preparing_ == 0) return needs_room_ && num_rows_ - popped_ >= rules_.rows;
  return held_up_() >= preparing_;
}

RowBatch EmbedWindow::form(std::int64_t count) {
  RowBatch batch;
  for (; count > 0; --count) {
    const auto first = waiting_.begin();
    batch.rows.push_back(first->first);
    if (auto* picture = std::get_if<Picture>(&first->second.input)) {
      batch.pictures.push_back(std::move(*picture));
    } else {
      batch.texts.push_back(std::get<std::string_view>(first->second.input));
    }
    batch.credits.push_back(std::move(first->second.credit));
    if (rules_.ordered && first->first < settled_) --ready_;
    waiting_.erase(first);
  }
  return batch;
}

std::optional<RowBatch> EmbedWindow::next_batch(BatchClock::time_point now) {
  const auto due = std::find_if(again_.begin(), again_.end(),
                                [&](const RowBatch& batch) { return batch.not_before <= now; });
  if (due != again_.end()) {
    RowBatch batch = std::move(*due);
    again_.erase(due);
    return batch;
  }
  if (num_ready() >= rules_.batch_size) return form(rules_.batch_size);
  const auto waiting = static_cast<std::int64_t>(waiting_.size());
  if (waiting > 0 && (all_prepared() || is_starving(now)))
    return form(std::min(waiting, rules_.batch_size));
  return std::nullopt;
}

std::optional<RowBatch> EmbedWindow::take_batch() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopped_ || all_embedded()) {
      changed_.notify_all();
      return std::nullopt;
    }
    const bool free = in_flight_ < rules_.concurrency;
    if (free) {
      if (std::optional<RowBatch> batch = next_batch(BatchClock::now())) {
        ++in_flight_;
        return batch;
      }
    }
    if (free && !again_.empty()) {
      const auto soonest = std::min_element(
          again_.begin(), again_.end(),
          [](const RowBatch& a, const RowBatch& b) { return a.not_before < b.not_before; });
      changed_.wait_until(lock, BatchClock::time_point(soonest->not_before));
    } else if (in_flight_ == 0 && !waiting_.empty()) {
      changed_.wait_for(lock, kLook);
    } else {
      changed_.wait(lock);
    }
  }
}

void EmbedWindow::complete(RowBatch batch, BatchAnswer answer) {
  std::lock_guard lock(mutex_);
  --in_flight_;
  changed_.notify_all();
  if (stopped_) return;
  try {
    BatchOutcome outcome =
        sort_out(std::move(batch), std::move(answer), rules_.answers, BatchClock::now(), random_);
    for (auto& [row, result] : outcome.finished) {
      const Hash128 content = firsts_.extract(row).mapped();
      for (const std::int64_t same :
           result ? duplicates_.finish(content, result.value()) : duplicates_.fail(content))
        give(same, result);
      give(row, std::move(result));
    }
    for (RowBatch& next : outcome.again) again_.push_back(std::move(next));
  } catch (...) {
    if (!failure_) failure_ = std::current_exception();
    stopped_ = true;
  }
}

void EmbedWindow::wait_until_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return in_flight_ == 0; });
}

EmbedChunk* EmbedWindow::find_done() const {
  for (const auto& chunk : chunks_) {
    if (chunk->unfinished == 0) return chunk.get();
    if (rules_.ordered) break;
  }
  return nullptr;
}

EmbedChunk* EmbedWindow::wait_done(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  EmbedChunk* done = nullptr;
  changed_.wait_for(lock, timeout, [&] {
    done = find_done();
    return failure_ || done != nullptr || (ended_ && chunks_.empty());
  });
  if (failure_) std::rethrow_exception(failure_);
  return done;
}

void EmbedWindow::pop(EmbedChunk* chunk) {
  std::lock_guard lock(mutex_);
  popped_ += chunk->rows.num_rows;
  std::erase_if(chunks_, [&](const auto& each) { return each.get() == chunk; });
  changed_.notify_all();
}

bool EmbedWindow::finished() {
  std::lock_guard lock(mutex_);
  return ended_ && chunks_.empty();
}

void EmbedWindow::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void EmbedWindow::fail(std::exception_ptr failure) {
  std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(failure);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace vecframe::exec
