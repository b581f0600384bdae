#include "job/merge_rows.h"

#include <vecframe/error.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "exec/sources.h"
#include "job/part_metadata.h"

namespace vecframe::job {
namespace {

using columnar::Morsel;

// All columns of a Parquet file, morsel by morsel.
class Rows {
 public:
  Rows(const std::string& path, storage::TableModule& tables) : reader_(tables.open_parquet(path)) {
    std::vector<std::string> names;
    for (const columnar::Field& field : reader_->schema().fields) names.push_back(field.name);
    ArrowArrayStream stream{};
    reader_->open_stream(names, &stream);
    rows_ = exec::open_stream(stream);
  }
  std::optional<Morsel> next() { return rows_->next(); }
  const columnar::Schema& schema() const { return reader_->schema(); }

 private:
  std::unique_ptr<storage::TableReader> reader_;
  std::unique_ptr<exec::Operator> rows_;
};

// The fresh rows that come in the place of others, as they are asked for.
class FreshRows {
 public:
  FreshRows(const std::string* path, storage::TableModule& tables) {
    if (path != nullptr) rows_.emplace(*path, tables);
  }

  /// The index of the next row among `morsels`, to which its morsel is added.
  std::int64_t take(std::vector<Morsel>& morsels, std::int64_t& num_rows) {
    while (position_ == current_.num_rows) {
      std::optional<Morsel> next = rows_ ? rows_->next() : std::nullopt;
      if (!next) throw RunError("a part that is written again has fewer rows than were planned");
      current_ = std::move(*next);
      position_ = 0;
      in_morsels_ = false;
    }
    if (!in_morsels_) {
      first_ = num_rows;
      num_rows += current_.num_rows;
      morsels.push_back(current_);
      in_morsels_ = true;
    }
    return first_ + position_++;
  }
  /// The morsels were let go.
  void forget() { in_morsels_ = false; }

 private:
  std::optional<Rows> rows_;
  Morsel current_;
  std::int64_t position_ = 0;
  std::int64_t first_ = 0;  // of current_ among the morsels
  bool in_morsels_ = false;
};

class Positions {
 public:
  explicit Positions(const std::vector<std::uint32_t>& rows) : rows_(rows) {}
  /// Asked for ascending rows.
  bool contains(std::int64_t row) {
    while (next_ < rows_.size() && rows_[next_] < row) ++next_;
    return next_ < rows_.size() && rows_[next_] == row;
  }

 private:
  const std::vector<std::uint32_t>& rows_;
  std::size_t next_ = 0;
};

// Of a part whose dropped rows have gone already, since whoever ran the shard first did not live to
// say so: the same rows by their new places.
Shard::Rewrite without_dropped(const Shard::Rewrite& planned) {
  Shard::Rewrite rewrite = planned;
  rewrite.dropped.clear();
  Positions dropped(planned.dropped);
  auto row = rewrite.replaced.begin();
  std::uint32_t gone = 0;
  for (std::int64_t i = 0; i < planned.num_rows && row != rewrite.replaced.end(); ++i) {
    if (*row == i) *row++ -= gone;
    if (dropped.contains(i)) ++gone;
  }
  return rewrite;
}

}  // namespace

void merge_rows(const std::string& old_path, const std::string* fresh_path,
                const std::vector<InputKey>& fresh_keys, const Shard::Rewrite& planned,
                storage::TableModule& tables, Part& out) {
  const std::optional<PartFacts> old_facts = read_part_facts(old_path, tables);
  if (!old_facts || static_cast<std::int64_t>(old_facts->keys.size()) != old_facts->num_rows)
    throw RunError("'" + old_path + "' has changed since the run began");
  const auto num_dropped = static_cast<std::int64_t>(planned.dropped.size());
  const bool is_done = num_dropped > 0 && old_facts->num_rows == planned.num_rows - num_dropped;
  if (!is_done && old_facts->num_rows != planned.num_rows)
    throw RunError("'" + old_path + "' has changed since the run began");
  const Shard::Rewrite rewrite = is_done ? without_dropped(planned) : planned;
  Rows old_rows(old_path, tables);
  FreshRows fresh(fresh_path, tables);
  Positions replaced(rewrite.replaced), dropped(rewrite.dropped);
  std::vector<InputKey>& keys = out.facts().keys;
  std::int64_t row = 0;
  std::size_t num_fresh = 0;
  while (std::optional<Morsel> old_morsel = old_rows.next()) {
    std::vector<Morsel> morsels{*old_morsel};
    std::int64_t num_rows = old_morsel->num_rows;
    fresh.forget();
    std::vector<std::int64_t> picks;
    for (std::int64_t i = 0; i < old_morsel->num_rows; ++i, ++row) {
      if (replaced.contains(row)) {
        picks.push_back(fresh.take(morsels, num_rows));
        keys.push_back(fresh_keys.at(num_fresh++));
      } else if (!dropped.contains(row)) {
        picks.push_back(i);
        keys.push_back(old_facts->keys[static_cast<std::size_t>(row)]);
      }
    }
    if (!picks.empty()) out.write(tables.relational().take(old_rows.schema(), morsels, picks));
  }
  if (row != old_facts->num_rows)
    throw RunError("'" + old_path + "' has changed while it was read");
  out.facts().num_failed =
      std::count_if(keys.begin(), keys.end(), [](const InputKey& key) { return key.failed(); });
}

}  // namespace vecframe::job
