// Rows of a plan that runs as they are taken.
#pragma once

#include <memory>
#include <optional>

#include "columnar/batch.h"
#include "columnar/schema.h"

namespace vecframe::session {

/// Destroying it ends the run.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual const std::shared_ptr<const columnar::Schema>& schema() const = 0;
  /// The next rows, or nothing at the end. For one thread at a time, which gets the callbacks of
  /// the run too. Throws what running the plan throws.
  virtual std::optional<columnar::Batch> next() = 0;
};

}  // namespace vecframe::session
