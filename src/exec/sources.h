// Where the rows of a chain of operators come from.
#pragma once

#include <vecframe/arrow_c.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "columnar/morsel.h"
#include "columnar/schema.h"
#include "exec/operator.h"
#include "storage/listing.h"
#include "storage/text_source.h"

namespace vecframe::exec {

/// Those of `columns` (indices) of morsels in memory.
std::unique_ptr<Operator> open_memory(std::shared_ptr<const std::vector<columnar::Morsel>> morsels,
                                      std::vector<std::size_t> columns);

/// The paths of a listing as columns of `schema`, each by its name: path, size (null where the file
/// cannot be looked at), num_rows (null).
std::unique_ptr<Operator> open_paths(std::unique_ptr<storage::Listing> listing,
                                     const columnar::Schema& schema);

/// A column of texts; a row that is no text is null.
std::unique_ptr<Operator> open_texts(std::unique_ptr<storage::TextSource> source);

/// The batches of a stream; takes it over. Throws RunError with its last error.
std::unique_ptr<Operator> open_stream(ArrowArrayStream stream);

/// The same rows in morsels of at most so many.
std::unique_ptr<Operator> open_sliced(std::unique_ptr<Operator> input, std::int64_t rows);

/// One after the other.
std::unique_ptr<Operator> open_in_turn(std::vector<std::unique_ptr<Operator>> operators);

}  // namespace vecframe::exec
