#include "job/planned_job.h"

#include <vecframe/error.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <utility>

#include "base/large_blocks.h"
#include "job/embed_planning.h"
#include "job/epoch.h"
#include "job/execute.h"
#include "job/merge_reports.h"
#include "job/output_path.h"
#include "job/shard_sink.h"
#include "job/step_shards.h"
#include "storage/local_file.h"

namespace vecframe::job {
namespace {

template <class Base, class Embedder>
class LoadedOnce : public Base {
 public:
  explicit LoadedOnce(std::shared_ptr<const Base> descriptor)
      : descriptor_(std::move(descriptor)) {}
  const embed::EmbedderFacts& facts() const override { return descriptor_->facts(); }
  std::shared_ptr<Embedder> instantiate() const override {
    std::lock_guard lock(mutex_);
    if (!embedder_) embedder_ = descriptor_->instantiate();
    return embedder_;
  }

 protected:
  const std::shared_ptr<const Base> descriptor_;

 private:
  mutable std::mutex mutex_;
  mutable std::shared_ptr<Embedder> embedder_;  // guarded by mutex_
};

class LoadedImages final : public LoadedOnce<embed::ImageEmbedderDescriptor, embed::ImageEmbedder> {
 public:
  using LoadedOnce::LoadedOnce;
  const image::PrepareSpec& prepare_spec() const override { return descriptor_->prepare_spec(); }
};

using LoadedTexts = LoadedOnce<embed::TextEmbedderDescriptor, embed::TextEmbedder>;

// The rows of one shard.
class SpecRows final : public RowPlanner {
 public:
  explicit SpecRows(const ShardSpec& spec)
      : spec_(spec), shard_(std::make_shared<const Shard>(spec.shard)) {}
  std::optional<PlannedRow> next() override {
    if (next_ == spec_.files.size()) return std::nullopt;
    const auto& [path, key] = spec_.files[next_++];
    return PlannedRow{path, key, shard_, next_ == spec_.files.size()};
  }

 private:
  const ShardSpec& spec_;
  const std::shared_ptr<const Shard> shard_;
  std::size_t next_ = 0;
};

class SpecTexts final : public storage::TextSource {
 public:
  SpecTexts(const std::string& path, const ShardSpec& spec, PlannedRows& planned)
      : source_(storage::open_text_lines(path,
                                         {spec.shard.texts->begin, spec.shard.texts->first_line})),
        planned_(planned),
        shard_(std::make_shared<const Shard>(spec.shard)),
        left_(spec.num_texts) {}

  Outcome next(storage::TextRow& row, std::chrono::milliseconds patience) override {
    if (left_ == 0) return Outcome::kEnd;
    const Outcome outcome = source_->next(row, patience);
    if (outcome == Outcome::kWaiting) return outcome;
    if (outcome == Outcome::kRow) add_text(content_, row);
    const bool last = outcome == Outcome::kRow && left_ == 1;
    if (outcome == Outcome::kEnd || (last && content_.hex() != shard_->texts->content))
      throw RunError("the texts changed after they were planned; begin again with resume");
    --left_;
    planned_.push({{}, shard_, last});
    return outcome;
  }

 private:
  const std::unique_ptr<storage::TextSource> source_;
  PlannedRows& planned_;
  const std::shared_ptr<const Shard> shard_;
  std::int64_t left_;
  Fingerprint content_;
};

// The token of a run, while it goes on.
class Epoch {
 public:
  explicit Epoch(std::string directory)
      : directory_(std::move(directory)), token_(begin_epoch(directory_)) {}
  ~Epoch() {
    try {
      end_epoch(directory_);
    } catch (const RunError&) {
      // The next run replaces the token.
    }
  }
  Epoch(const Epoch&) = delete;
  Epoch& operator=(const Epoch&) = delete;
  const std::string& token() const { return token_; }

 private:
  const std::string directory_;
  const std::string token_;
};

// An earlier output that is to be replaced goes: parts are committed one by one.
void prepare_output(const std::string& output, const OutputOptions& writing) {
  map_large_blocks();
  check_options(writing, output);
  if (output_kind(output) == OutputKind::kFile)
    throw RequestError("output: '" + output +
                       "' is one file; processes that share a run write into a directory");
  if (!writing.share.whole())
    throw RequestError("shard: a run whose shards are handed out has no shares; leave it out");
  if (writing.mode != WriteMode::kOverwrite) return;
  const OutputDirectory directory(output, writing.mode);
  for (const std::string& name : directory.part_names()) directory.remove(name);
}

}  // namespace

class PlannedJob::Impl {
 public:
  Impl(EmbedJob job, storage::TableModule& tables)
      : job_(std::move(job)),
        tables_(tables),
        schema_(output_schema(job_)),
        run_(job_.output, job_.writing, schema_, recipe_of(job_, *schema_), tables),
        epoch_(run_.directory().path()),
        letters_(dead_letters_of(job_, tables)) {
    if (job_.texts.empty()) {
      files_.emplace(job_, run_);
      planner_ = &files_->planner();
    } else {
      texts_.emplace(job_.texts, text_options(job_), run_.inventory(), planned_);
    }
  }
  Impl(StepJob job, const exec::StepContext& context, storage::TableModule& tables)
      : steps_(std::move(job)),
        tables_(tables),
        schema_(output_schema(*steps_)),
        run_(steps_->output, steps_->writing, schema_, recipe_of(*steps_, context, *schema_),
             tables),
        epoch_(run_.directory().path()),
        letters_(steps_->dead_letter.empty() ? nullptr
                                             : open_dead_letters(steps_->dead_letter, tables)),
        units_(std::in_place, *steps_, run_, tables),
        planner_(&units_->planner()) {}
  ~Impl() {
    if (letters_) commit_quietly();
  }

  std::optional<ShardSpec> next() {
    std::optional<ShardSpec> spec = planner_ != nullptr ? next_files() : next_texts();
    if (!spec) return std::nullopt;
    spec->recipe = run_.recipe().fingerprint();
    spec->epoch = epoch_.token();
    given_.push_back(spec->shard.id);
    return spec;
  }

  void add(const std::string& report, const std::vector<FailedInput>& failed) {
    reports_.add(report);
    if (letters_)
      for (const FailedInput& each : failed) letters_->add(each);
  }

  std::string finish(const std::string& facts) {
    std::string missing;
    for (const std::int64_t id : given_)
      if (!std::filesystem::exists(run_.directory().file(part_name(id))))
        missing += (missing.empty() ? "" : ", ") + part_name(id);
    if (!missing.empty())
      throw RunError("shards were planned but not committed: " + missing + "; resume the run");
    if (units_)
      for (const std::int64_t id : units_->outdated()) run_.writer().remove(id);
    if (files_)
      while (std::optional<Shard> shard = files_->planner().next_pruned())
        run_.writer().drop_rows(*shard);
    if (texts_)
      for (const std::int64_t id : texts_->superfluous()) run_.writer().remove(id);
    if (run_.inventory().parts().empty() && given_.empty()) {
      run_.writer().begin(std::make_shared<const Shard>());
      run_.writer().finish();
    }
    if (letters_) letters_->commit();
    letters_.reset();
    const bool touched =
        !given_.empty() || !run_.writer().written().empty() || !run_.writer().removed().empty();
    if (!touched && is_complete(run_.directory())) return report(facts, nullptr);
    run_.directory().clean_up();  // after workers that died
    const MergedOutput merged = merge_shares(run_.directory(), tables_);
    const std::string text = report(facts, &merged);
    storage::write_file(run_.directory().file(kReportName), text + "\n");
    return text;
  }

 private:
  std::optional<ShardSpec> next_files() {
    ShardSpec spec;
    std::shared_ptr<const Shard> shard;
    for (;;) {
      if (!row_) row_ = planner_->next();
      if (!row_ || (shard && row_->shard != shard)) break;
      shard = row_->shard;
      spec.files.emplace_back(std::move(row_->path), row_->key);
      const bool ends = row_->ends_shard;
      row_.reset();
      if (ends) break;
    }
    if (!shard) return std::nullopt;
    spec.shard = *shard;
    return spec;
  }

  std::optional<ShardSpec> next_texts() {
    ShardSpec spec;
    std::shared_ptr<const Shard> shard;
    storage::TextRow row;
    for (;;) {
      const auto outcome = texts_->next(row, std::chrono::seconds(1));
      if (outcome == storage::TextSource::Outcome::kEnd) break;
      if (outcome == storage::TextSource::Outcome::kWaiting) continue;
      PlannedRows::Facts facts = planned_.take_oldest();
      shard = std::move(facts.shard);
      ++spec.num_texts;
      if (facts.ends_shard) break;
    }
    if (!shard) return std::nullopt;
    spec.shard = *shard;
    return spec;
  }

  // `merged`: what the directory holds, if it was looked at.
  std::string report(const std::string& facts, const MergedOutput* merged) {
    Report own = steps_ ? Report() : begin_report(job_);
    own.library_version = VECFRAME_VERSION;
    own.output = steps_ ? steps_->output : job_.output;
    if (!run_.inventory().difference().empty())
      own.notices.push_back("the recipe changed, rows of another one are computed again: " +
                            run_.inventory().difference());
    for (const std::string& name : run_.inventory().corrupt())
      own.notices.push_back("a part could not be read; it is now " + run_.directory().file(name));
    for (const auto& [id, counts] : run_.writer().written())
      own.parts.push_back(run_.directory().file(part_name(id)));
    if (merged != nullptr) own.totals = OutputTotals{merged->parts, merged->rows, merged->failed};
    return reports_.to_json(facts, own.to_json());
  }

  // The run ends with an error of its own, and no file tells of a part of its failures.
  void commit_quietly() {
    try {
      letters_->commit();
    } catch (const std::exception&) {
      letters_.reset();
    }
  }

  const EmbedJob job_;  // unless steps_
  const std::optional<StepJob> steps_;
  storage::TableModule& tables_;
  const std::shared_ptr<const columnar::Schema> schema_;
  DirectoryRun run_;
  const Epoch epoch_;
  std::unique_ptr<DeadLetters> letters_;
  ReportSum reports_;
  PlannedRows planned_;
  std::optional<PlannedFiles> files_;
  std::optional<TextPlanner> texts_;
  std::optional<PlannedUnits> units_;
  FilePlanner* planner_ = nullptr;   // of files_ or units_
  std::optional<PlannedRow> row_;    // taken from the planner, of the next shard
  std::vector<std::int64_t> given_;  // shards handed out
};

PlannedJob::PlannedJob(EmbedJob job, storage::TableModule& tables) {
  check_writing(job);
  if (job.texts == "-")
    throw RequestError("text: standard input cannot be read by other processes; give a file");
  prepare_output(job.output, job.writing);
  impl_ = std::make_unique<Impl>(std::move(job), tables);
}

PlannedJob::PlannedJob(StepJob job, const exec::StepContext& context,
                       storage::TableModule& tables) {
  if (const std::string why = why_in_one_stream(job.plan); !why.empty())
    throw RequestError("write_parquet: " + why +
                       ", so this plan cannot be divided among processes; run it in one");
  prepare_output(job.output, job.writing);
  impl_ = std::make_unique<Impl>(std::move(job), context, tables);
}

PlannedJob::~PlannedJob() = default;

std::optional<ShardSpec> PlannedJob::next() { return impl_->next(); }

void PlannedJob::add(const std::string& report, const std::vector<FailedInput>& failed) {
  impl_->add(report, failed);
}

std::string PlannedJob::finish(const std::string& facts) { return impl_->finish(facts); }

ShardWriter begin_shard(const DirectoryFiles& directory, const ShardSpec& spec,
                        std::shared_ptr<const columnar::Schema> schema, const Recipe& recipe,
                        storage::TableModule& tables) {
  if (recipe.fingerprint() != spec.recipe)
    throw RequestError("shard: it was planned for another recipe than this plan's, which is " +
                       recipe.to_json());
  { const EpochGuard standing(directory.path(), spec.epoch); }  // before any work
  ShardWriter writer(directory, std::move(schema), recipe, tables, /*staged=*/false);
  writer.set_epoch(spec.epoch);
  return writer;
}

Report run_shard(const EmbedJob& job, const ShardSpec& spec, storage::TableModule& tables,
                 const CancellationToken& cancellation, const exec::ProgressCallback& progress,
                 const exec::FailureCallback& failure) {
  const auto schema = output_schema(job);
  const DirectoryFiles directory(job.output);
  ShardWriter writer = begin_shard(directory, spec, schema, recipe_of(job, *schema), tables);
  PlannedRows planned;
  ShardSink sink(writer, planned, schema, job.columns, sink_memory(job.pipeline.memory_limit),
                 /*with_keys=*/job.texts.empty());
  std::vector<FailedInput> failed;
  NotingSink noting(sink,
                    job.dead_letter.empty() ? nullptr : std::make_unique<CollectedLetters>(failed));
  EmbedJob shard_job = job;
  shard_job.pipeline.limit.reset();
  Report report;
  if (spec.shard.texts) {
    SpecTexts texts(job.texts, spec, planned);
    report = execute_texts(shard_job, texts, noting, cancellation, progress, failure);
  } else {
    SpecRows rows(spec);
    PlannedListing listing(rows, planned);
    report = execute_images(shard_job, listing, noting, cancellation, progress, failure);
  }
  if (cancellation.cancelled()) throw Cancelled();
  sink.finish();
  report.parts = {directory.file(part_name(spec.shard.id))};
  report.failed_inputs = std::move(failed);
  return report;
}

std::shared_ptr<const embed::ImageEmbedderDescriptor> loaded_once(
    std::shared_ptr<const embed::ImageEmbedderDescriptor> descriptor) {
  return std::make_shared<const LoadedImages>(std::move(descriptor));
}

std::shared_ptr<const embed::TextEmbedderDescriptor> loaded_once(
    std::shared_ptr<const embed::TextEmbedderDescriptor> descriptor) {
  return std::make_shared<const LoadedTexts>(std::move(descriptor));
}

}  // namespace vecframe::job
