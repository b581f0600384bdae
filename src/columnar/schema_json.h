// Columns' names and types as JSON, and back.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "columnar/schema.h"

namespace vecframe::columnar {

/// Any type that a column can have, as its node of the Arrow C Data interface.
nlohmann::ordered_json schema_to_json(const Schema& schema);

/// Throws RequestError for what is no schema; the JSON may come from strangers.
Schema schema_from_json(const nlohmann::ordered_json& json);

}  // namespace vecframe::columnar
