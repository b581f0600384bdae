#include "job/text_planner.h"

#include <algorithm>
#include <utility>

namespace vecframe::job {
namespace {

constexpr std::chrono::milliseconds kPatience{1000};

}  // namespace

void add_text(Fingerprint& content, const storage::TextRow& row) {
  content.add_field(row.text).add_field(row.error ? "bad" : "");
}

TextPlanner::TextPlanner(std::string path, TextPlannerOptions options, const Inventory& inventory,
                         PlannedRows& planned)
    : path_(std::move(path)), options_(options), inventory_(inventory), planned_(planned) {}

// Of the block at place_, at most.
std::int64_t TextPlanner::block_rows() const {
  const std::int64_t rows = options_.rows_per_part;
  return options_.limit ? std::min(rows, *options_.limit - place_.line) : rows;
}

TextPlanner::Scan TextPlanner::scan_block() const {
  Scan scan;
  scan.end = place_.offset;
  Fingerprint content;
  const auto source = storage::open_text_lines(path_, place_);
  storage::TextRow row;
  for (const std::int64_t rows = block_rows(); scan.rows < rows;) {
    const Outcome outcome = source->next(row, kPatience);
    if (outcome == Outcome::kEnd) break;
    if (outcome == Outcome::kWaiting) continue;
    add_text(content, row);
    scan.end = row.end;
    ++scan.rows;
  }
  scan.content = content.hex();
  return scan;
}

bool TextPlanner::is_done(const CommittedPart& part, const Scan& scan) const {
  const bool same = part.current && part.texts && part.texts->begin == place_.offset &&
                    part.texts->end == scan.end && part.rows == scan.rows &&
                    part.texts->content == scan.content;
  if (!same) return !options_.add_missing;
  return part.failed == 0 || !options_.retry_failed;
}

// Moves to the next block that is to be computed.
bool TextPlanner::find_block() {
  while (!ended_) {
    if (block_rows() <= 0) break;
    if (path_ == "-") return true;
    const auto& parts = inventory_.parts();
    const auto part =
        std::lower_bound(parts.begin(), parts.end(), block_,
                         [](const CommittedPart& each, std::int64_t id) { return each.id < id; });
    const bool exists = part != parts.end() && part->id == block_;
    const bool ours = block_ % options_.share.count == options_.share.index;
    if (ours && !exists && options_.add_missing) return true;
    const Scan scan = scan_block();
    if (scan.rows == 0) break;
    if (ours && exists && !is_done(*part, scan)) return true;
    place_ = {scan.end, place_.line + scan.rows};
    ++block_;
  }
  end();
  return false;
}

void TextPlanner::end() {
  if (std::exchange(ended_, true) || options_.limit || !options_.add_missing) return;
  for (const CommittedPart& part : inventory_.parts())
    if (part.id >= block_ && part.id % options_.share.count == options_.share.index)
      superfluous_.push_back(part.id);
}

bool TextPlanner::finished() { return source_ == nullptr && !find_block(); }

TextPlanner::Outcome TextPlanner::next(storage::TextRow& row, std::chrono::milliseconds patience) {
  for (;;) {
    if (source_ == nullptr) {
      if (finished()) return Outcome::kEnd;
      source_ = storage::open_text_lines(path_, place_);
    }
    const Outcome outcome = source_->next(row, patience);
    if (outcome == Outcome::kWaiting) return outcome;
    if (outcome == Outcome::kEnd) {
      // The block that ended here was the last; one that never began is none.
      if (shard_) {
        ++block_;
        place_.line += shard_rows_;
        shard_.reset();
      }
      source_.reset();
      end();
      return Outcome::kEnd;
    }
    if (!shard_) {
      shard_ = std::make_shared<Shard>();
      shard_->id = block_;
      shard_->texts = TextRange{place_.offset, place_.offset, place_.line, ""};
      shard_rows_ = 0;
      content_ = Fingerprint();
    }
    ++shard_rows_;
    add_text(content_, row);
    shard_->texts->end = row.end;
    const bool ends = shard_rows_ == block_rows();
    shard_->texts->content = content_.hex();
    planned_.push({{}, shard_, ends});
    if (!ends) return outcome;
    place_ = {row.end, place_.line + shard_rows_};
    ++block_;
    shard_.reset();
    if (path_ != "-") source_.reset();
    return outcome;
  }
}

}  // namespace vecframe::job
