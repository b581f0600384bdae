// Batches as a table of text, for show().
#pragma once

#include <string>
#include <vector>

#include "columnar/batch.h"

namespace vecframe::session {

/// Names, types and values in columns; long texts and vectors are cut with an ellipsis.
std::string table_text(const columnar::Schema& schema, const std::vector<columnar::Batch>& batches);

}  // namespace vecframe::session
