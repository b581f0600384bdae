// One plan over many tables.

#include <vecframe/error.h>
#include <vecframe/jobs.h>

#include <memory>
#include <utility>
#include <variant>

#include "session/run_plan.h"
#include "session/run_steps.h"

namespace vecframe {

struct TableRunner::Impl {
  Impl(const DataFrame& frame, const RunOptions& options)
      : plan(session::plan_to_run(*frame.plan(), options)), steps(*plan, options) {}
  const plan::PlanPointer plan;
  session::StepTables steps;
};

TableRunner::TableRunner(const DataFrame& frame, const RunOptions& options)
    : impl_(std::make_unique<Impl>(frame, options)) {}
TableRunner::~TableRunner() = default;
TableRunner::TableRunner(TableRunner&&) noexcept = default;
TableRunner& TableRunner::operator=(TableRunner&&) noexcept = default;

void TableRunner::run(ArrowArrayStream* table, ArrowArrayStream* out) {
  job::Collected collected = impl_->steps.run(table);
  columnar::export_stream(std::move(collected.schema), std::move(collected.batches), out);
}

}  // namespace vecframe
