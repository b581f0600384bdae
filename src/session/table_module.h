// Opens the shared object that reads and writes Parquet, when it is first needed.
#pragma once

#include "storage/table_io.h"

namespace vecframe::session {

/// The module beside this library. Throws RunError that says what is missing.
storage::TableModule& table_module();

}  // namespace vecframe::session
