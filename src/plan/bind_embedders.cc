#include "plan/bind_embedders.h"

#include <map>
#include <optional>
#include <string>

#include "plan/change_calls.h"

namespace vecframe::plan {

PlanPointer bind_embedders(const PlanPointer& plan, const FindEmbedder& find,
                           const RelationalSource& relational) {
  std::map<std::string, std::shared_ptr<const EmbedderHandle>> found;  // by identity of the call
  const auto bind = [&](const EmbedCall& call) -> std::optional<EmbedCall> {
    if (call.handle != nullptr) return std::nullopt;
    const auto [place, is_new] = found.try_emplace(identity(ExpressionNode{call}));
    if (is_new) place->second = find(call);
    if (place->second == nullptr) return std::nullopt;
    EmbedCall bound = call;
    bound.handle = place->second;
    return bound;
  };
  return change_calls(plan, bind, relational);
}

}  // namespace vecframe::plan
