// The public dataframe: builds plans, and runs them as jobs.

#include <vecframe/dataframe.h>
#include <vecframe/error.h>

#include <algorithm>
#include <utility>

#include "plan/explain.h"
#include "plan/logical_plan.h"
#include "plan/warnings.h"
#include "session/run_plan.h"
#include "session/run_steps.h"
#include "storage/listing.h"
#include "storage/text_source.h"

namespace vecframe {

DataFrame::DataFrame(std::shared_ptr<const plan::LogicalPlan> plan) : plan_(std::move(plan)) {}

DataFrame DataFrame::with_column(const std::string& name, const Expression& expression) const {
  return DataFrame(
      plan::with_column(plan_, {name, expression.node()}, session::relational_source()));
}

DataFrame DataFrame::limit(std::int64_t count) const {
  return DataFrame(plan::limit(plan_, {count}));
}

DataFrame DataFrame::select(const std::vector<std::string>& columns) const {
  plan::Select node;
  for (const std::string& name : columns) node.columns.push_back({name, col(name).node()});
  return DataFrame(plan::select(plan_, std::move(node)));
}

DataFrame DataFrame::select(const std::vector<std::pair<std::string, Expression>>& columns) const {
  plan::Select node;
  for (const auto& [name, expression] : columns) node.columns.push_back({name, expression.node()});
  return DataFrame(plan::select(plan_, std::move(node), session::relational_source()));
}

DataFrame DataFrame::exclude(const std::vector<std::string>& columns) const {
  for (const std::string& name : columns) plan::field_of(plan_->schema, name);
  std::vector<std::string> kept;
  for (const columnar::Field& field : plan_->schema.fields)
    if (std::find(columns.begin(), columns.end(), field.name) == columns.end())
      kept.push_back(field.name);
  return select(kept);
}

DataFrame DataFrame::rename(const std::vector<std::pair<std::string, std::string>>& names) const {
  for (const auto& [from, to] : names) plan::field_of(plan_->schema, from);
  std::vector<std::pair<std::string, Expression>> columns;
  for (const columnar::Field& field : plan_->schema.fields) {
    const auto renamed = std::find_if(names.begin(), names.end(),
                                      [&](const auto& pair) { return pair.first == field.name; });
    columns.emplace_back(renamed == names.end() ? field.name : renamed->second, col(field.name));
  }
  return select(columns);
}

DataFrame DataFrame::where(const Expression& predicate) const {
  return DataFrame(plan::where(plan_, {predicate.node()}, session::relational_source()));
}

DataFrame DataFrame::sort(const std::vector<SortColumn>& columns) const {
  plan::Sort node;
  for (const SortColumn& column : columns)
    node.keys.push_back({column.name, column.descending, column.nulls_first});
  return DataFrame(plan::sort(plan_, std::move(node)));
}

DataFrame DataFrame::sample(std::optional<double> fraction, std::optional<std::int64_t> size,
                            std::uint64_t seed) const {
  return DataFrame(plan::sample(plan_, {fraction, size, seed}));
}

DataFrame DataFrame::concat(const DataFrame& other) const {
  return DataFrame(plan::concat(plan_, {other.plan_}));
}

DataFrame DataFrame::drop_nulls(const std::vector<std::string>& columns) const {
  return DataFrame(plan::drop_nulls(plan_, {columns}));
}

std::int64_t DataFrame::count(const RunOptions& options) const {
  return session::count_plan(*plan_, options);
}

std::vector<ColumnInfo> DataFrame::schema() const {
  std::vector<ColumnInfo> columns;
  for (const columnar::Field& field : plan_->schema.fields)
    columns.push_back({field.name, field.type.to_string()});
  return columns;
}

std::string DataFrame::explain(const ExplainOptions& options) const {
  const bool json = options.format == ExplainOptions::Format::kJson;
  if (!options.show_all && !json) return plan::explain(*plan_);
  const plan::ExplainedPlan explained = session::explained_plan(plan_);
  return json ? plan::explain_json(explained) : plan::explain_all(explained);
}

std::vector<std::string> DataFrame::warnings() const { return plan::warnings_of(*plan_); }

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

DataFrame from_glob_path(const std::vector<std::string>& patterns) {
  return DataFrame(plan::from_glob({patterns}));
}

DataFrame read_parquet(const std::vector<std::string>& paths) {
  return DataFrame(session::read_parquet_plan(paths));
}

DataFrame from_arrow(ArrowArrayStream* stream) { return DataFrame(session::memory_plan(stream)); }

std::vector<std::string> image_extensions() {
  const auto extensions = storage::image_extensions();
  return {extensions.begin(), extensions.end()};
}

}  // namespace vecframe
