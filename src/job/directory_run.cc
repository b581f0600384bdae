#include "job/directory_run.h"

#include <fmt/format.h>
#include <vecframe/error.h>

#include <filesystem>
#include <utility>

#include "job/epoch.h"
#include "job/manifest.h"
#include "job/merge_reports.h"
#include "job/output_path.h"
#include "storage/local_file.h"

namespace vecframe::job {
namespace {

bool goes_on(WriteMode mode) { return mode == WriteMode::kResume || mode == WriteMode::kAppend; }

}  // namespace

DirectoryRun::DirectoryRun(const std::string& output, const OutputOptions& options,
                           std::shared_ptr<const columnar::Schema> schema, Recipe recipe,
                           storage::TableModule& tables)
    : options_(options),
      tables_(tables),
      schema_(std::move(schema)),
      recipe_(std::move(recipe)),
      directory_(output, options.mode, options.share),
      staged_(options.mode == WriteMode::kOverwrite && !directory_.part_names().empty()),
      writer_(directory_, schema_, recipe_, tables, staged_) {
  if (options.share.whole()) end_epoch(directory_.path());
  if (options.mode == WriteMode::kResume) index_.emplace(directory_.path());
  if (goes_on(options.mode)) {
    inventory_.emplace(directory_, recipe_, tables,
                       [&](std::uint32_t part, const PartFacts& facts) {
                         if (!index_) return;
                         for (std::size_t row = 0; row < facts.keys.size(); ++row)
                           index_->add(facts.keys[row], {part, static_cast<std::uint32_t>(row)});
                       });
  } else {
    inventory_.emplace();
  }
  if (index_) index_->finish();
  const std::string& difference = inventory_->difference();
  const bool keeps_recipe = options.mode == WriteMode::kAppend || !options.add_missing;
  if (keeps_recipe && !difference.empty())
    throw RequestError("output: '" + output + "' holds rows of another recipe: " + difference +
                       (options.mode == WriteMode::kAppend
                            ? "; append rows of the same one, or compute all again "
                              "with --resume"
                            : "; retry them with the same one, or add --resume"));
  writer_.on_first_commit([this] { write_manifest(/*complete=*/false); });
}

void DirectoryRun::write_manifest(bool complete) {
  if (!options_.share.whole()) {
    // Of all shares together it is written at the end of each.
    directory_.remove(share_report_name(options_.share));
    return directory_.remove(kManifestName);
  }
  Manifest manifest;
  manifest.schema = *schema_;
  manifest.complete = complete;
  for (const CommittedPart& part : inventory_->parts())
    manifest.parts[part.id] = {part.rows, part.failed};
  for (const auto& [id, counts] : writer_.written()) manifest.parts[id] = counts;
  for (const std::int64_t id : writer_.removed()) manifest.parts.erase(id);
  storage::write_file(directory_.file(kManifestName), manifest.to_json() + "\n");
}

void DirectoryRun::finish(Report& report) {
  for (const std::string& name : inventory_->corrupt())
    report.notices.push_back("a part could not be read; it is now " + directory_.file(name));
  if (staged_) writer_.commit_staged();
  for (const auto& [id, counts] : writer_.written())
    report.parts.push_back(directory_.file(part_name(id)));
  if (!options_.share.whole()) return write_share(report);

  OutputTotals totals;
  const auto count = [&](std::int64_t rows, std::int64_t failed) {
    ++totals.parts;
    totals.rows += rows;
    totals.failed += failed;
  };
  for (const CommittedPart& part : inventory_->parts())
    if (!writer_.written().contains(part.id)) count(part.rows, part.failed);
  for (const auto& [id, counts] : writer_.written()) count(counts.rows, counts.failed);
  totals.parts -= static_cast<std::int64_t>(writer_.removed().size());
  for (const std::int64_t id : writer_.removed())
    for (const CommittedPart& part : inventory_->parts())
      if (part.id == id) {
        totals.rows -= part.rows;
        totals.failed -= part.failed;
      }
  report.totals = totals;
  const bool touched = !writer_.written().empty() || !writer_.removed().empty();
  if (touched || !std::filesystem::exists(directory_.file(kReportName)))
    storage::write_file(directory_.file(kReportName), report.to_json() + "\n");
  if (touched || !is_complete(directory_)) write_manifest(/*complete=*/true);
}

// Whoever ends last sees all parts, and leaves the manifest of the whole.
void DirectoryRun::write_share(Report& report) {
  const std::string name = share_report_name(options_.share);
  if (!writer_.written().empty() || !std::filesystem::exists(directory_.file(name)))
    storage::write_file(directory_.file(name), report.to_json() + "\n");
  const MergedOutput merged = merge_shares(directory_, tables_);
  report.totals = OutputTotals{merged.parts, merged.rows, merged.failed};
}

}  // namespace vecframe::job
