// What a plan does that its user hardly wants, though it can be done.
#pragma once

#include <string>
#include <vector>

#include "plan/logical_plan.h"

namespace vecframe::plan {

/// Of the last operation of the plan: one line each.
std::vector<std::string> warnings_of(const LogicalPlan& plan);
/// Of all operations, the first ones first.
std::vector<std::string> all_warnings(const LogicalPlan& plan);

}  // namespace vecframe::plan
