// Rows in memory as bytes of Arrow's streaming format.
#pragma once

#include <vecframe/arrow_c.h>

#include <span>
#include <string>
#include <string_view>

#include "columnar/morsel.h"
#include "columnar/schema.h"

namespace vecframe::io {

/// As storage::TableModule says.
std::string write_ipc(const columnar::Schema& schema, std::span<const columnar::Morsel> morsels);
void read_ipc(std::string_view bytes, ArrowArrayStream* out);

}  // namespace vecframe::io
