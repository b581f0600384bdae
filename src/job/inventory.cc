#include "job/inventory.h"

#include <vecframe/error.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "job/output_path.h"

namespace vecframe::job {
namespace {

void put_aside(const DirectoryFiles& directory, const std::string& name) {
  std::error_code error;
  std::filesystem::rename(directory.file(name), directory.file("_corrupt-" + name), error);
  if (error)
    throw RunError("'" + directory.file(name) +
                   "' cannot be read as a part, nor put aside: " + error.message());
}

}  // namespace

Inventory::Inventory(const DirectoryFiles& directory, const Recipe& recipe,
                     storage::TableModule& tables, const OnFacts& on_facts) {
  for (const std::string& name : directory.part_names()) {
    std::optional<PartFacts> facts;
    try {
      facts = read_part_facts(directory.file(name), tables);
    } catch (const RequestError&) {
      put_aside(directory, name);
      corrupt_.push_back("_corrupt-" + name);
      continue;
    }
    if (!facts)
      throw RequestError("output: '" + directory.file(name) +
                         "' was not written part by part, so it is not known of which inputs; "
                         "move it away, or replace the output with --overwrite");
    const std::string difference = recipe.difference(facts->recipe);
    if (!recipe.same_rows(facts->recipe))
      throw RequestError("output: '" + directory.path() + "' holds rows of another kind: " +
                         difference + "; give another directory");
    if (difference_.empty()) difference_ = difference;
    if (on_facts) on_facts(static_cast<std::uint32_t>(parts_.size()), *facts);
    CommittedPart part;
    part.id = shard_of(name);
    part.rows = facts->num_rows;
    part.failed = facts->num_failed;
    part.current = difference.empty();
    part.texts = std::move(facts->texts);
    part.inputs = std::move(facts->inputs);
    parts_.push_back(std::move(part));
  }
}

std::int64_t Inventory::num_rows() const {
  std::int64_t sum = 0;
  for (const CommittedPart& part : parts_) sum += part.rows;
  return sum;
}

std::int64_t Inventory::num_failed() const {
  std::int64_t sum = 0;
  for (const CommittedPart& part : parts_) sum += part.failed;
  return sum;
}

FreeIds::FreeIds(const Inventory& inventory, ShardShare share)
    : candidate_(share.index), step_(share.count) {
  for (const CommittedPart& part : inventory.parts()) used_.push_back(part.id);
}

std::int64_t FreeIds::next() {
  for (;; candidate_ += step_) {
    while (position_ < used_.size() && used_[position_] < candidate_) ++position_;
    if (position_ == used_.size() || used_[position_] != candidate_) break;
  }
  return std::exchange(candidate_, candidate_ + step_);
}

}  // namespace vecframe::job
