// Lengths of the vectors of models that servers commonly run, so that a plan needs no server.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vecframe::providers {

std::optional<std::int64_t> known_dimension(std::string_view model);

}  // namespace vecframe::providers
