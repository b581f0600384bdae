// Rules that turn a plan into one that gives the same rows with less work. Each gives the plan it
// got where it has nothing to do.
//
// All rest on one promise: a row that is not in the result is not computed, and so cannot fail; a
// column that is not in the result is not computed either.
#pragma once

#include "plan/logical_plan.h"

namespace vecframe::plan {

/// Expressions of literals alone become one; `true` and `false` vanish from conditions.
PlanPointer fold_constants(const PlanPointer& plan, const RelationalSource& relational);

/// An embedding of a plan that was computed before, by the same call, is taken from there.
PlanPointer share_embeddings(const PlanPointer& plan, const RelationalSource& relational);

/// Conditions move in front of what does not change them: columns that they do not need, sorting,
/// both sides of concat. Parts of a conjunction move apart. drop_nulls is a condition like others.
PlanPointer push_where(const PlanPointer& plan, const RelationalSource& relational);

/// A limit moves in front of whatever gives a row for a row.
PlanPointer push_limit(const PlanPointer& plan, const RelationalSource& relational);

/// Columns that nothing uses are neither computed nor read.
PlanPointer prune_columns(const PlanPointer& plan, const RelationalSource& relational);

/// All of them, in the order that lets each find what the ones before it made.
PlanPointer optimize(const PlanPointer& plan, const RelationalSource& relational);

/// select(), but also of no columns at all, which is all that counting needs.
PlanPointer select_any(PlanPointer input, Select node, const RelationalSource& relational);

/// The node on top of `plan` over another input.
PlanPointer over(const PlanPointer& plan, PlanPointer input, const RelationalSource& relational);

}  // namespace vecframe::plan
