#include "columnar/scalar_expression.h"

#include <array>
#include <utility>

namespace vecframe::columnar {

std::string_view operator_sign(std::string_view function) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kSigns{{
      {"equal", "=="},
      {"not_equal", "!="},
      {"less", "<"},
      {"less_equal", "<="},
      {"greater", ">"},
      {"greater_equal", ">="},
      {"add", "+"},
      {"subtract", "-"},
      {"multiply", "*"},
      {"divide", "/"},
      {"and", "&"},
      {"or", "|"},
  }};
  for (const auto& [name, sign] : kSigns)
    if (name == function) return sign;
  return {};
}

}  // namespace vecframe::columnar
