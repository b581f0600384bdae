// Rows on their way through a plan: columns of equal length that batches may share.
#pragma once

#include <vecframe/arrow_c.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "columnar/batch.h"

namespace vecframe::columnar {

/// An immutable array that releases itself with its last owner.
using ArrayPointer = std::shared_ptr<const ArrowArray>;

/// Takes the array over.
ArrayPointer share(ArrowArray array);

/// A column of a struct array, sharing the whole of it.
ArrayPointer child_of(const ArrayPointer& parent, std::int64_t index);

struct Morsel {
  std::vector<ArrayPointer> columns;
  std::int64_t num_rows = 0;
};

/// The columns of a struct array without nulls of its own, such as a batch of an Arrow stream;
/// takes it over.
Morsel morsel_of(ArrowArray array);

/// Rows [first, first + count), which share the columns.
Morsel slice(const Morsel& morsel, std::int64_t first, std::int64_t count);

/// Fills `out` with a struct array over the columns, which it shares; the receiver releases it.
void export_morsel(const Morsel& morsel, ArrowArray* out);

}  // namespace vecframe::columnar
