// Plans and expressions as texts, and back.

#include <vecframe/dataframe.h>
#include <vecframe/expression.h>

#include <utility>

#include "plan/json_plan.h"
#include "session/run_steps.h"
#include "session/table_module.h"

namespace vecframe {
namespace {

std::string encode(const plan::FromMemory& node) {
  return session::table_module().write_ipc(node.schema, *node.morsels);
}

plan::FromMemory decode(std::string_view bytes) {
  ArrowArrayStream stream{};
  session::table_module().read_ipc(bytes, &stream);
  return std::get<plan::FromMemory>(session::memory_plan(&stream)->node);
}

}  // namespace

std::string DataFrame::to_json() const { return plan::plan_to_json(*plan_, encode); }

DataFrame DataFrame::from_json(const std::string& json) {
  return DataFrame(plan::plan_from_json(json, session::relational_source(), decode));
}

std::string Expression::to_json() const { return plan::expression_to_json_text({node_, alias_}); }

Expression Expression::from_json(const std::string& json) {
  plan::NamedJson read = plan::expression_from_json_text(json);
  const Expression expression(std::move(read.node));
  return read.name ? expression.alias(std::move(*read.name)) : expression;
}

}  // namespace vecframe
