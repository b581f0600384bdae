// Runs plans that are more than a job over files, as steps over morsels.
#pragma once

#include <vecframe/arrow_c.h>
#include <vecframe/run.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "job/embed_job.h"
#include "job/planned_job.h"
#include "plan/logical_plan.h"
#include "session/row_source.h"

namespace vecframe::session {

job::Report write_steps(const plan::LogicalPlan& plan, const std::string& path,
                        const WriteOptions& options);
job::Collected collect_steps(const plan::LogicalPlan& plan, const RunOptions& options);

std::unique_ptr<RowSource> stream_steps(const plan::LogicalPlan& plan, const RunOptions& options);

/// Plans a run whose shards StepShards compute.
std::unique_ptr<job::PlannedJob> plan_steps(const plan::LogicalPlan& plan, const std::string& path,
                                            const WriteOptions& options);

/// Computes shards of plan_steps(); loads models once.
class StepShards {
 public:
  StepShards(const plan::LogicalPlan& plan, const std::string& path, const WriteOptions& options);
  ~StepShards();
  job::Report run(const job::ShardSpec& spec);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Runs a plan whose source is a table over others of the same columns; loads models once.
class StepTables {
 public:
  StepTables(const plan::LogicalPlan& plan, const RunOptions& options);
  ~StepTables();
  job::Collected run(ArrowArrayStream* table);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Rows of the plan; embeddings and pictures are not computed.
std::int64_t count_plan(const plan::LogicalPlan& plan, const RunOptions& options);

/// Plans of sources that have to be looked at first.
plan::PlanPointer read_parquet_plan(const std::vector<std::string>& paths);
plan::PlanPointer memory_plan(ArrowArrayStream* stream);

/// What types and evaluates comparisons, arithmetic and logic: the table module's.
plan::RelationalSource relational_source();

}  // namespace vecframe::session
