// A logical plan as a chain of steps over morsels, each column computed once and only if it is
// needed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "columnar/scalar_expression.h"
#include "columnar/schema.h"
#include "plan/logical_plan.h"

namespace vecframe::plan {

/// A column under the name it has inside the chain.
struct ComputedColumn {
  std::string column;
  std::shared_ptr<const ExpressionNode> node;  ///< over columns of the step's input
  columnar::DataType type;
};

struct StepPlan;

struct SourceStep {
  LogicalPlan::Node source;
};
/// Pictures, bytes and embeddings, row by row. An EmbedCall with an error column has it as
/// error_column_of() names it.
struct MapStep {
  std::vector<ComputedColumn> columns;
};
struct ScalarStep {
  std::string column;
  columnar::ScalarExpression expression;
};
/// A function of vectors or hashes whose arguments are columns of the input or literals.
struct VectorStep {
  std::string column;
  FunctionCall call;
  columnar::DataType type;
};
struct FilterStep {
  std::string mask;
};
struct LimitStep {
  std::int64_t count = 0;
};
struct SortStep {
  std::vector<storage::SortKey> keys;
  std::optional<std::int64_t> first;  ///< so many rows are taken at most; else all of them
};
struct SampleStep {
  Sample sample;
};
/// The rows of another chain of the same schema follow.
struct ConcatStep {
  std::shared_ptr<const StepPlan> other;
};
/// Columns of the input under new names; the others end here.
struct ProjectStep {
  std::vector<std::pair<std::string, std::string>> columns;  ///< from, to
};

struct Step {
  std::variant<SourceStep, MapStep, ScalarStep, VectorStep, FilterStep, LimitStep, SortStep,
               SampleStep, ConcatStep, ProjectStep>
      value;
  columnar::Schema schema;  ///< of what comes out
};

struct StepPlan {
  std::vector<Step> steps;  ///< the first is the source
  const columnar::Schema& schema() const { return steps.back().schema; }
};

std::string error_column_of(const std::string& column);

/// Whether some pictures are decoded reduced.
bool decodes_fast(const StepPlan& plan);

/// Throws RequestError as the nodes do, and for pictures of fast_decode that would be kept.
StepPlan lower_to_steps(const LogicalPlan& plan, const RelationalSource& relational);

}  // namespace vecframe::plan
