// Plans from strangers: any text is refused with RequestError, or is a plan that has a JSON form
// again, the same one each time.

#include <vecframe/error.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "plan/explain.h"
#include "plan/json_plan.h"
#include "plan/steps.h"

namespace {

using namespace vecframe;

// Types of any expression; nothing is evaluated.
class AnyBoolean final : public storage::Relational {
 public:
  columnar::DataType type_of(const columnar::ScalarExpression&,
                             const columnar::Schema&) const override {
    return {columnar::TypeKind::kBoolean};
  }
  columnar::ArrayPointer evaluate(const columnar::ScalarExpression&, const columnar::Schema&,
                                  const columnar::Morsel&) const override {
    std::abort();
  }
  columnar::Morsel filter(const columnar::Schema&, const columnar::Morsel&,
                          const columnar::ArrayPointer&) const override {
    std::abort();
  }
  columnar::Morsel take(const columnar::Schema&, std::span<const columnar::Morsel>,
                        std::span<const std::int64_t>) const override {
    std::abort();
  }
  std::vector<std::int64_t> sort_rows(const columnar::Schema&, std::span<const columnar::Morsel>,
                                      std::span<const storage::SortKey>) const override {
    std::abort();
  }
  columnar::Morsel slice(const columnar::Morsel&, std::int64_t, std::int64_t) const override {
    std::abort();
  }
};

plan::FromMemory decode(std::string_view) {
  plan::FromMemory node;
  node.schema.fields = {{"a", {columnar::TypeKind::kString}}};
  node.morsels = std::make_shared<std::vector<columnar::Morsel>>();
  return node;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const AnyBoolean relational;
  const plan::RelationalSource source = []() -> const storage::Relational& { return relational; };
  const plan::EncodeRows encode = [](const plan::FromMemory&) { return std::string("rows"); };
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const plan::PlanPointer read = plan::plan_from_json(text, source, decode);
    const std::string once = plan::plan_to_json(*read, encode);
    const std::string twice =
        plan::plan_to_json(*plan::plan_from_json(once, source, decode), encode);
    if (once != twice) std::abort();
    plan::lower_to_steps(*read, source);
    if (plan::explain(*read).empty()) std::abort();
  } catch (const RequestError&) {
  }
  return 0;
}
