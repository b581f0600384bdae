// Relational operations by the compute functions of the Arrow library.
#pragma once

#include "storage/relational.h"

namespace vecframe::io {

/// One for the process.
storage::Relational& relational();

}  // namespace vecframe::io
