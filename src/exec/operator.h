// A chain of operators, each of which pulls morsels from the one before it.
#pragma once

#include <optional>

#include "columnar/morsel.h"

namespace vecframe::exec {

class Operator {
 public:
  virtual ~Operator() = default;
  /// The next rows, or nothing at the end. For one thread at a time. Throws RunError, Cancelled.
  virtual std::optional<columnar::Morsel> next() = 0;
};

}  // namespace vecframe::exec
