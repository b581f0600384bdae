// The order of rows by the values of some columns.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "columnar/morsel.h"
#include "columnar/schema.h"
#include "storage/relational.h"

namespace vecframe::io {

/// As storage::Relational says.
std::vector<std::int64_t> sort_rows(const columnar::Schema& schema,
                                    std::span<const columnar::Morsel> morsels,
                                    std::span<const storage::SortKey> keys);

}  // namespace vecframe::io
