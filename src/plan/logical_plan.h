// What the user asked for, as a chain of immutable nodes, each checked against the schema of its
// input when it is made.
#pragma once

#include <vecframe/dataframe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "columnar/morsel.h"
#include "columnar/schema.h"
#include "plan/expression_node.h"

namespace vecframe::plan {

struct ReadImages {
  std::vector<std::string> inputs;
  ReadImagesOptions options;
};

/// One text a line of a file, or of standard input ("-").
struct ReadTexts {
  std::string path;
};

/// Paths that match the patterns: columns path, size, num_rows (null).
struct FromGlob {
  std::vector<std::string> patterns;
};

/// Rows of Parquet files of one schema, in order.
struct ReadParquet {
  std::vector<std::string> files;
  columnar::Schema schema;
  std::optional<std::int64_t> num_rows = {};  ///< of all files, where they were counted
};

/// Rows that are in memory.
struct FromMemory {
  columnar::Schema schema;
  std::shared_ptr<const std::vector<columnar::Morsel>> morsels;
};

struct WithColumn {
  std::string name;
  std::shared_ptr<const ExpressionNode> expression;
};

struct Limit {
  std::int64_t count = 0;
};

/// A column of the result.
struct NamedExpression {
  std::string name;
  std::shared_ptr<const ExpressionNode> expression;
};

struct Select {
  std::vector<NamedExpression> columns;
};

/// Rows for which the expression, a Boolean, is true.
struct Where {
  std::shared_ptr<const ExpressionNode> predicate;
};

struct Sort {
  std::vector<storage::SortKey> keys;
};

/// Each row with a probability, or so many rows; the same ones for one seed and one order of rows.
struct Sample {
  std::optional<double> fraction;
  std::optional<std::int64_t> size;
  std::uint64_t seed = 0;
};

/// The rows of another plan of the same columns and types follow.
struct Concat {
  std::shared_ptr<const LogicalPlan> other;
};

/// Rows in which none of the columns is null.
struct DropNulls {
  std::vector<std::string> columns;
};

struct LogicalPlan {
  using Node = std::variant<ReadImages, ReadTexts, FromGlob, ReadParquet, FromMemory, WithColumn,
                            Limit, Select, Where, Sort, Sample, Concat, DropNulls>;
  Node node;
  std::shared_ptr<const LogicalPlan> input;  ///< null for a source
  columnar::Schema schema;                   ///< of the result
};

using PlanPointer = std::shared_ptr<const LogicalPlan>;

// Each throws RequestError when the request does not fit the input.
PlanPointer read_images(ReadImages node);
PlanPointer read_texts(ReadTexts node);
PlanPointer from_glob(FromGlob node);
PlanPointer read_parquet(ReadParquet node);
PlanPointer from_memory(FromMemory node);
PlanPointer with_column(PlanPointer input, WithColumn node,
                        const RelationalSource& relational = {});
PlanPointer limit(PlanPointer input, Limit node);
PlanPointer select(PlanPointer input, Select node, const RelationalSource& relational = {});
PlanPointer where(PlanPointer input, Where node, const RelationalSource& relational);
PlanPointer sort(PlanPointer input, Sort node);
PlanPointer sample(PlanPointer input, Sample node);
PlanPointer concat(PlanPointer input, Concat node);
PlanPointer drop_nulls(PlanPointer input, DropNulls node);

}  // namespace vecframe::plan
