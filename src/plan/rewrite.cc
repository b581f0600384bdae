#include "plan/rewrite.h"

#include <utility>

namespace vecframe::plan {

PlanPointer select_any(PlanPointer input, Select node, const RelationalSource& relational) {
  if (!node.columns.empty()) return select(std::move(input), std::move(node), relational);
  return std::make_shared<LogicalPlan>(LogicalPlan{std::move(node), std::move(input), {}});
}

PlanPointer over(const PlanPointer& plan, PlanPointer input, const RelationalSource& relational) {
  if (input == plan->input) return plan;
  struct Visitor {
    PlanPointer input;
    const RelationalSource& relational;
    PlanPointer operator()(const WithColumn& node) {
      return with_column(std::move(input), node, relational);
    }
    PlanPointer operator()(const Limit& node) { return limit(std::move(input), node); }
    PlanPointer operator()(const Select& node) {
      return select_any(std::move(input), node, relational);
    }
    PlanPointer operator()(const Where& node) { return where(std::move(input), node, relational); }
    PlanPointer operator()(const Sort& node) { return sort(std::move(input), node); }
    PlanPointer operator()(const Sample& node) { return sample(std::move(input), node); }
    PlanPointer operator()(const Concat& node) { return concat(std::move(input), node); }
    PlanPointer operator()(const DropNulls& node) { return drop_nulls(std::move(input), node); }
    // A source has no input, so it came back as it was.
    PlanPointer operator()(const ReadImages&) { return std::move(input); }
    PlanPointer operator()(const ReadTexts&) { return std::move(input); }
    PlanPointer operator()(const FromGlob&) { return std::move(input); }
    PlanPointer operator()(const ReadParquet&) { return std::move(input); }
    PlanPointer operator()(const FromMemory&) { return std::move(input); }
  };
  return std::visit(Visitor{std::move(input), relational}, plan->node);
}

PlanPointer optimize(const PlanPointer& plan, const RelationalSource& relational) {
  PlanPointer better = fold_constants(plan, relational);
  better = share_embeddings(better, relational);
  better = push_where(better, relational);
  better = push_limit(better, relational);
  return prune_columns(better, relational);
}

}  // namespace vecframe::plan
