#include "job/file_planner.h"

#include <vecframe/error.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "job/output_path.h"

namespace vecframe::job {

FilePlanner::FilePlanner(storage::Listing& listing, KeyFile key_file, PlannerOptions options,
                         const Inventory& inventory, KeyIndex* index)
    : listing_(listing),
      key_file_(std::move(key_file)),
      options_(std::move(options)),
      inventory_(inventory),
      index_(index),
      ids_(inventory, options_.share),
      again_(options_.scratch),
      seen_(options_.scratch),
      changed_parts_(inventory.parts().size()) {}

std::optional<PlannedRow> FilePlanner::next() {
  if (!listed_all_) {
    if (std::optional<PlannedRow> row = next_listed()) return row;
    finish_listing();
  }
  return next_again();
}

std::optional<PlannedRow> FilePlanner::next_listed() {
  while (!options_.limit || num_listed_ < *options_.limit) {
    std::optional<std::string> path = listing_.next();
    if (!path) break;
    ++num_listed_;
    const KeyedFile file = key_file_(*path);
    const auto found = index_ == nullptr ? std::nullopt : index_->find(file.key);
    if (found) {
      if (options_.prune) seen_.add(found->place);
      keep_again(*found, *path, file.key);
    } else if (auto row = take_missing(std::move(*path), file)) {
      return row;
    }
  }
  return std::nullopt;
}

std::optional<PlannedRow> FilePlanner::take_missing(std::string path, const KeyedFile& file) {
  const auto owner = static_cast<std::int64_t>(file.key.path_high %
                                               static_cast<std::uint64_t>(options_.share.count));
  if (!options_.add_missing || owner != options_.share.index) return std::nullopt;
  if (!shard_) {
    shard_ = std::make_shared<Shard>();
    shard_->id = ids_.next();
    shard_rows_ = shard_bytes_ = 0;
  }
  PlannedRow row{std::move(path), file.key, shard_, /*ends_shard=*/false};
  ++shard_rows_;
  shard_bytes_ += file.bytes;
  if (shard_rows_ >= options_.rows_per_part || shard_bytes_ >= options_.bytes_per_part) {
    row.ends_shard = true;
    shard_.reset();
  }
  return row;
}

// A row that is there already: nothing to do, or to be computed again by the share that owns the
// part. Which share that is does not depend on what other shares have committed meanwhile.
void FilePlanner::keep_again(const KeyIndex::Entry& entry, const std::string& path,
                             const InputKey& key) {
  const CommittedPart& part = inventory_.parts()[entry.place.part];
  if (part.id % options_.share.count != options_.share.index) return;
  const bool stale = !part.current || !entry.key.same_version(key);
  const bool failed = options_.whole_parts ? part.failed > 0 : entry.key.failed();
  const bool again = (stale && options_.add_missing) || (failed && options_.retry_failed);
  if (options_.whole_parts) {
    changed_parts_[entry.place.part] = changed_parts_[entry.place.part] || again;
  } else if (!again) {
    return;
  }
  if (!spool_) spool_ = std::make_unique<storage::ScratchFile>(options_.scratch);
  again_.add({entry.place, spool_->size()});
  std::string record(sizeof(std::uint32_t) + sizeof(InputKey), '\0');
  const auto length = static_cast<std::uint32_t>(path.size());
  std::memcpy(record.data(), &length, sizeof length);
  std::memcpy(record.data() + sizeof length, &key, sizeof key);
  record += path;
  spool_->append(record.data(), record.size());
}

void FilePlanner::finish_listing() {
  listed_all_ = true;
  shard_.reset();
  again_.sort();
  again_cursor_.emplace(again_);
  if (!options_.prune) return;
  seen_.sort();
  seen_cursor_.emplace(seen_);
}

std::optional<PlannedRow> FilePlanner::next_again() {
  const Again* again = next_of_changed_part();
  if (again == nullptr) {
    if (seen_cursor_) seen_cursor_.emplace(seen_);  // for next_pruned()
    if (options_.add_missing && !options_.prune) refuse_forgotten_parts();
    return std::nullopt;
  }
  const Again taken = *again;
  if (!shard_) begin_rewrite(taken.place.part);
  PlannedRow row = read_again(taken);
  row.shard = shard_;
  shard_->rewrite->replaced.push_back(taken.place.row);
  const Again* after = again_cursor_->peek();
  if (after != nullptr && after->place.part == taken.place.part) return row;

  row.ends_shard = true;
  const CommittedPart& part = inventory_.parts()[taken.place.part];
  const auto replaced = static_cast<std::int64_t>(shard_->rewrite->replaced.size());
  const bool forgets = !part.current && !options_.whole_parts && replaced < part.rows;
  if (forgets && !options_.prune) refuse(part, part.rows - replaced);
  shard_.reset();
  return row;
}

const FilePlanner::Again* FilePlanner::next_of_changed_part() {
  const Again* again = again_cursor_->next();
  while (options_.whole_parts && again != nullptr && !changed_parts_[again->place.part])
    again = again_cursor_->next();
  return again;
}

void FilePlanner::refuse(const CommittedPart& part, std::int64_t rows) const {
  throw RequestError("output: " + part_name(part.id) + " has " + std::to_string(rows) +
                     " rows of another recipe (" + inventory_.difference() +
                     ") whose inputs are not given, so they cannot be computed again; give all "
                     "inputs, or drop those rows with --prune");
}

// Parts of another recipe of which no input was listed.
void FilePlanner::refuse_forgotten_parts() const {
  auto rewritten = rewritten_.begin();
  for (std::uint32_t i = 0; i < inventory_.parts().size(); ++i) {
    if (rewritten != rewritten_.end() && *rewritten == i) {
      ++rewritten;
      continue;
    }
    const CommittedPart& part = inventory_.parts()[i];
    const bool ours = part.id % options_.share.count == options_.share.index;
    if (ours && !part.current && part.rows > 0) refuse(part, part.rows);
  }
}

void FilePlanner::begin_rewrite(std::uint32_t part) {
  shard_ = std::make_shared<Shard>();
  shard_->id = inventory_.parts()[part].id;
  shard_->rewrite = Shard::Rewrite{};
  shard_->rewrite->nothing_kept = options_.whole_parts || !inventory_.parts()[part].current;
  shard_->rewrite->num_rows = inventory_.parts()[part].rows;
  if (options_.prune) shard_->rewrite->dropped = unseen_rows(part, *seen_cursor_);
  rewritten_.push_back(part);
}

PlannedRow FilePlanner::read_again(const Again& again) const {
  PlannedRow row;
  std::uint32_t length = 0;
  spool_->read(again.offset, &length, sizeof length);
  spool_->read(again.offset + std::int64_t{sizeof length}, &row.key, sizeof row.key);
  row.path.resize(length);
  spool_->read(again.offset + std::int64_t{sizeof length + sizeof row.key}, row.path.data(),
               length);
  return row;
}

// `seen` stands at or before the rows of this part.
std::vector<std::uint32_t> FilePlanner::unseen_rows(std::uint32_t part,
                                                    DiskSort<RowPlace>::Cursor& seen) const {
  std::vector<std::uint32_t> unseen;
  const RowPlace* place = seen.peek();
  while (place != nullptr && place->part < part) {
    seen.next();
    place = seen.peek();
  }
  const auto rows = static_cast<std::uint32_t>(inventory_.parts()[part].rows);
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (place != nullptr && place->part == part && place->row == row) {
      while (place != nullptr && place->part == part && place->row == row) {
        seen.next();
        place = seen.peek();
      }
    } else {
      unseen.push_back(row);
    }
  }
  return unseen;
}

std::optional<Shard> FilePlanner::next_pruned() {
  if (!options_.prune) return std::nullopt;
  while (next_part_ < inventory_.parts().size()) {
    const std::uint32_t part = next_part_++;
    std::vector<std::uint32_t> dropped = unseen_rows(part, *seen_cursor_);
    if (next_rewritten_ < rewritten_.size() && rewritten_[next_rewritten_] == part) {
      ++next_rewritten_;
      continue;
    }
    if (dropped.empty()) continue;
    Shard shard;
    shard.id = inventory_.parts()[part].id;
    shard.rewrite = Shard::Rewrite{};
    shard.rewrite->num_rows = inventory_.parts()[part].rows;
    shard.rewrite->dropped = std::move(dropped);
    return shard;
  }
  return std::nullopt;
}

}  // namespace vecframe::job
