// Runs whose shards other processes compute.

#include <vecframe/error.h>
#include <vecframe/jobs.h>

#include <filesystem>
#include <utility>

#include "job/merge_reports.h"
#include "job/output_directory.h"
#include "job/output_path.h"
#include "job/planned_job.h"
#include "session/run_plan.h"
#include "session/run_steps.h"
#include "session/table_module.h"
#include "storage/local_file.h"

namespace vecframe {
namespace {

// Computes shards of either kind of plan.
class Shards {
 public:
  virtual ~Shards() = default;
  virtual job::Report run(const job::ShardSpec& spec) = 0;
};

class FileShards final : public Shards {
 public:
  FileShards(job::EmbedJob job, const WriteOptions& options)
      : job_(std::move(job)), options_(options) {
    if (job_.descriptor) job_.descriptor = job::loaded_once(job_.descriptor);
    if (job_.text_descriptor) job_.text_descriptor = job::loaded_once(job_.text_descriptor);
  }
  job::Report run(const job::ShardSpec& spec) override {
    return job::run_shard(job_, spec, session::table_module(), session::token_of(options_),
                          session::progress_of(options_), session::failure_of(options_));
  }

 private:
  job::EmbedJob job_;
  const WriteOptions options_;
};

class PlanShards final : public Shards {
 public:
  PlanShards(plan::PlanPointer plan, const std::string& path, const WriteOptions& options)
      : plan_(std::move(plan)), shards_(*plan_, path, options) {}
  job::Report run(const job::ShardSpec& spec) override { return shards_.run(spec); }

 private:
  const plan::PlanPointer plan_;
  session::StepShards shards_;
};

std::unique_ptr<job::PlannedJob> plan_job(const DataFrame& frame, const std::string& path,
                                          const WriteOptions& options) {
  const plan::PlanPointer plan = session::plan_to_run(*frame.plan(), options);
  if (!session::runs_as_file_job(*frame.plan(), *plan))
    return session::plan_steps(*plan, path, options);
  return std::make_unique<job::PlannedJob>(session::embed_job_of(*plan, path, options),
                                           session::table_module());
}

std::unique_ptr<Shards> open_shards(const DataFrame& frame, const std::string& path,
                                    const WriteOptions& options) {
  plan::PlanPointer plan = session::plan_to_run(*frame.plan(), options);
  if (session::runs_as_file_job(*frame.plan(), *plan))
    return std::make_unique<FileShards>(session::embed_job_of(*plan, path, options), options);
  return std::make_unique<PlanShards>(std::move(plan), path, options);
}

}  // namespace

struct PlannedRun::Impl {
  std::unique_ptr<job::PlannedJob> job;
};

PlannedRun::PlannedRun(const DataFrame& frame, const std::string& path, const WriteOptions& options)
    : impl_(new Impl{plan_job(frame, path, options)}) {}
PlannedRun::~PlannedRun() = default;
PlannedRun::PlannedRun(PlannedRun&&) noexcept = default;
PlannedRun& PlannedRun::operator=(PlannedRun&&) noexcept = default;

std::optional<std::string> PlannedRun::next_shard() {
  const std::optional<job::ShardSpec> spec = impl_->job->next();
  return spec ? std::optional(job::to_json(*spec)) : std::nullopt;
}

void PlannedRun::add(const std::string& report, const std::vector<FailedInput>& failed_inputs) {
  impl_->job->add(report, failed_inputs);
}

std::string PlannedRun::finish(const std::string& facts) { return impl_->job->finish(facts); }

struct ShardRunner::Impl {
  std::unique_ptr<Shards> shards;
};

ShardRunner::ShardRunner(const DataFrame& frame, const std::string& path,
                         const WriteOptions& options)
    : impl_(new Impl{open_shards(frame, path, options)}) {}
ShardRunner::~ShardRunner() = default;
ShardRunner::ShardRunner(ShardRunner&&) noexcept = default;
ShardRunner& ShardRunner::operator=(ShardRunner&&) noexcept = default;

RunReport ShardRunner::run(const std::string& shard) {
  return session::to_public(impl_->shards->run(job::parse_shard_spec(shard)));
}

MergedRun merge_run(const std::string& directory) {
  const job::OutputDirectory output(directory);
  if (output.part_names().empty())
    throw RequestError("'" + directory + "' holds no parts; give the output directory of a run");
  const job::MergedOutput merged = job::merge_shares(output, session::table_module());
  return {merged.complete, merged.parts,  merged.rows,
          merged.failed,   merged.shares, merged.missing_shares};
}

std::string read_report(const std::string& directory) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;
  std::error_code ignored;
  const std::string path = std::filesystem::is_directory(directory, ignored)
                               ? directory + "/" + job::kReportName
                               : directory;
  const auto bytes = storage::read_file(path, kMostBytes);
  if (!bytes)
    throw RequestError("report: '" + path + "' cannot be read (" + bytes.error().message +
                       "); give the output directory of a run");
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

}  // namespace vecframe
