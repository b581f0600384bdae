#include "job/shard_writer.h"

#include <set>
#include <utility>

#include "job/epoch.h"
#include "job/merge_rows.h"
#include "job/output_path.h"

namespace vecframe::job {

ShardWriter::ShardWriter(const DirectoryFiles& directory,
                         std::shared_ptr<const columnar::Schema> schema, Recipe recipe,
                         storage::TableModule& tables, bool staged)
    : directory_(directory),
      schema_(std::move(schema)),
      recipe_(std::move(recipe)),
      tables_(tables),
      staged_(staged) {}

void ShardWriter::begin(std::shared_ptr<const Shard> shard) {
  part_.emplace(directory_.file(part_name(shard->id)), schema_, tables_);
  part_->facts().id = shard->id;
  part_->facts().recipe = recipe_;
  part_->facts().keys = std::move(spare_keys_);
  shard_ = std::move(shard);
}

void ShardWriter::write(columnar::Batch batch, std::int64_t num_failed) {
  part_->write(std::move(batch), num_failed);
}

void ShardWriter::write(const columnar::Morsel& morsel) { part_->write(morsel); }

void ShardWriter::add_key(const InputKey& key) { part_->facts().keys.push_back(key); }

void ShardWriter::set_inputs(std::string inputs) { part_->facts().inputs = std::move(inputs); }

void ShardWriter::add_failed(std::int64_t count) { part_->facts().num_failed += count; }

void ShardWriter::finish() {
  const std::shared_ptr<const Shard> shard = std::exchange(shard_, nullptr);
  part_->facts().texts = shard->texts;
  part_->close(/*is_shard=*/true);
  Part part = std::move(*part_);
  part_.reset();
  std::vector<InputKey> keys = std::move(part.facts().keys);  // in the file by now
  if (shard->rewrite && !shard->rewrite->nothing_kept) {
    // What was computed lies beside the part until both are one; it goes with `part`.
    merge(*shard, &part.temporary_path(), keys);
  } else if (staged_) {
    written_.set(shard->id, {part.facts().num_rows, part.facts().num_failed});
    staged_parts_.emplace_back(shard->id, std::move(part));
  } else {
    commit(part, shard->id);
  }
  keys.clear();
  spare_keys_ = std::move(keys);
}

void ShardWriter::drop_rows(const Shard& shard) { merge(shard, nullptr, {}); }

void ShardWriter::merge(const Shard& shard, const std::string* fresh_path,
                        const std::vector<InputKey>& fresh_keys) {
  const std::string path = directory_.file(part_name(shard.id));
  Part merged(path, schema_, tables_);
  merged.facts().id = shard.id;
  merged.facts().recipe = recipe_;
  merge_rows(path, fresh_path, fresh_keys, *shard.rewrite, tables_, merged);
  if (merged.facts().num_rows == 0) return remove(shard.id);
  merged.close(/*is_shard=*/true);
  commit(merged, shard.id);
}

void ShardWriter::announce() {
  if (announced_) return;
  announced_ = true;
  if (on_first_commit_) on_first_commit_();
}

void ShardWriter::commit(Part& part, std::int64_t id) {
  announce();
  std::optional<EpochGuard> guard;
  if (!epoch_.empty()) guard.emplace(directory_.path(), epoch_);
  part.commit();
  written_.set(id, {part.facts().num_rows, part.facts().num_failed});
}

void ShardWriter::remove(std::int64_t id) {
  announce();
  directory_.remove(part_name(id));
  removed_.push_back(id);
}

// An earlier output is without a manifest from the first rename to the last: a reader that cares
// sees that it is being replaced.
void ShardWriter::commit_staged() {
  std::set<std::string> earlier;
  for (std::string& name : directory_.part_names()) earlier.insert(std::move(name));
  directory_.remove(kManifestName);
  directory_.remove(kReportName);
  for (auto& [id, part] : staged_parts_) {
    part.commit();
    earlier.erase(part_name(id));
  }
  for (const std::string& name : earlier) directory_.remove(name);
  staged_parts_.clear();
}

}  // namespace vecframe::job
