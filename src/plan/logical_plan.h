// What the user asked for, as a chain of immutable nodes, each checked against the schema of its
// input when it is made.
#pragma once

#include <vecframe/dataframe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

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

struct WithColumn {
  std::string name;
  std::shared_ptr<const ExpressionNode> expression;
};

struct Limit {
  std::int64_t count = 0;
};

struct Select {
  std::vector<std::string> columns;
};

struct LogicalPlan {
  std::variant<ReadImages, ReadTexts, WithColumn, Limit, Select> node;
  std::shared_ptr<const LogicalPlan> input;  ///< null for a source
  columnar::Schema schema;                   ///< of the result
};

using PlanPointer = std::shared_ptr<const LogicalPlan>;

// Each throws RequestError when the request does not fit the input.
PlanPointer read_images(ReadImages node);
PlanPointer read_texts(ReadTexts node);
PlanPointer with_column(PlanPointer input, WithColumn node);
PlanPointer limit(PlanPointer input, Limit node);
PlanPointer select(PlanPointer input, Select node);

/// One line a node, the last operation first, with the resulting schema on top.
std::string explain(const LogicalPlan& plan);

}  // namespace vecframe::plan
