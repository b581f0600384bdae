#include "job/embed_planning.h"

#include <vecframe/error.h>

#include <string>
#include <utility>

#include "storage/file_version.h"

namespace vecframe::job {
namespace {

KeyFile key_file_by(Detect detect) {
  return [detect](const std::string& path) {
    const storage::FileVersion version = storage::version_of(path);
    return KeyedFile{detect == Detect::kContent ? key_of_content(path) : key_of(path, version),
                     version.size};
  };
}

}  // namespace

void check_writing(const EmbedJob& job) {
  const bool goes_on =
      job.writing.mode == WriteMode::kResume || job.writing.mode == WriteMode::kAppend;
  if (job.texts == "-" && (goes_on || !job.writing.share.whole()))
    throw RequestError(
        "text: standard input cannot be read again, so a run over it cannot be "
        "resumed, added to or shared; give a file");
  if (!job.texts.empty() && job.writing.mode == WriteMode::kAppend)
    throw RequestError(
        "write_mode: 'append' would mix the lines of two files of texts, whose parts "
        "are known by their place; give another directory");
}

PlannedFiles::PlannedFiles(const EmbedJob& job, DirectoryRun& run)
    : listing_(storage::list_images(job.inputs)) {
  PlannerOptions options;
  options.rows_per_part = job.writing.rows_per_part;
  options.bytes_per_part = job.writing.bytes_per_part;
  options.limit = job.pipeline.limit;
  options.share = job.writing.share;
  options.add_missing = job.writing.add_missing;
  options.retry_failed = job.writing.retry_failed;
  options.prune = job.writing.prune;
  options.scratch = run.directory().path();
  planner_.emplace(*listing_, key_file_by(job.writing.detect), options, run.inventory(),
                   run.index());
}

TextPlannerOptions text_options(const EmbedJob& job) {
  TextPlannerOptions options;
  options.rows_per_part = job.writing.rows_per_part;
  options.limit = job.pipeline.limit;
  options.share = job.writing.share;
  options.add_missing = job.writing.add_missing;
  options.retry_failed = job.writing.retry_failed;
  return options;
}

std::optional<std::string> PlannedListing::next() {
  if (!next_) return std::nullopt;
  PlannedRow row = std::move(*next_);
  planned_.push({row.key, std::move(row.shard), row.ends_shard});
  next_ = planner_.next();
  return std::move(row.path);
}

}  // namespace vecframe::job
