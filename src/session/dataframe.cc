// The public dataframe: builds plans, and runs them as jobs.

#include <vecframe/dataframe.h>
#include <vecframe/error.h>

#include <utility>

#include "plan/logical_plan.h"
#include "session/run_plan.h"
#include "storage/listing.h"
#include "storage/text_source.h"

namespace vecframe {

DataFrame::DataFrame(std::shared_ptr<const plan::LogicalPlan> plan) : plan_(std::move(plan)) {}

DataFrame DataFrame::with_column(const std::string& name, const Expression& expression) const {
  return DataFrame(plan::with_column(plan_, {name, expression.node()}));
}

DataFrame DataFrame::limit(std::int64_t count) const {
  return DataFrame(plan::limit(plan_, {count}));
}

DataFrame DataFrame::select(const std::vector<std::string>& columns) const {
  return DataFrame(plan::select(plan_, {columns}));
}

std::vector<ColumnInfo> DataFrame::schema() const {
  std::vector<ColumnInfo> columns;
  for (const columnar::Field& field : plan_->schema.fields)
    columns.push_back({field.name, field.type.to_string()});
  return columns;
}

std::string DataFrame::explain() const { return plan::explain(*plan_); }

RunReport DataFrame::write_parquet(const std::string& path, const WriteOptions& options) const {
  return session::write_plan(*plan_, path, options);
}

RunReport DataFrame::to_arrow(ArrowArrayStream* out, const RunOptions& options) const {
  session::CollectedPlan collected = session::collect_plan(*plan_, options);
  columnar::export_stream(std::move(collected.schema), std::move(collected.batches), out);
  return std::move(collected.report);
}

std::string DataFrame::show(std::int64_t count, const RunOptions& options) const {
  return session::show_plan(*limit(count).plan(), options);
}

DataFrame read_images(const std::vector<std::string>& inputs, const ReadImagesOptions& options) {
  return DataFrame(plan::read_images({inputs, options}));
}

DataFrame read_texts(const std::string& path) {
  // Found out now, not when the plan runs. Standard input can be opened as often as one likes.
  storage::open_text_lines(path);
  return DataFrame(plan::read_texts({path}));
}

std::vector<std::string> image_extensions() {
  const auto extensions = storage::image_extensions();
  return {extensions.begin(), extensions.end()};
}

}  // namespace vecframe
