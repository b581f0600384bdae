// One batch through an embedder, down to the rows that fail; and what becomes of its vectors.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/row_error.h"
#include "exec/batch_sizer.h"
#include "exec/vector_form.h"

namespace vecframe::exec {

/// `embed(first, count)` embeds those rows of the batch, no more at a time than the sizer says. If
/// it throws std::bad_alloc, so many rows are never tried again; a row that finds no memory alone
/// gets an error (stage embed, over_budget). If it throws another std::exception, the rows are
/// halved until those at fault stand alone and get an error (stage embed, embedder_failed).
/// `fail(index, error)` is called for each row with an error. `keep_on()` is asked before each
/// call; when it says no the rest is left out. Gives the number of calls for parts of what failed.
std::int64_t embed_batch(std::int64_t count, BatchSizer& sizer,
                         const std::function<void(std::int64_t first, std::int64_t count)>& embed,
                         const std::function<void(std::int64_t, RowError)>& fail,
                         const std::function<bool()>& keep_on);

/// Copies the first kept.size() values of the vector, divided by their L2 norm if `form` says so.
/// Gives an error (stage embed, bad_output) if a value is NaN or infinite, or one that is kept is
/// beyond the column's element type.
std::optional<RowError> keep_vector(std::span<const float> vector, const VectorForm& form,
                                    std::span<float> kept);

/// Divides by the L2 norm, which is summed in float64. A vector of zeros stays.
void normalize_vector(std::span<float> vector);

}  // namespace vecframe::exec
