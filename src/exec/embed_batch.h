// One batch through an embedder, down to the rows that fail; and what becomes of its vectors.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/row_error.h"
#include "exec/vector_form.h"

namespace vecframe::exec {

/// `embed(first, count)` embeds those rows of the batch. If it throws a std::exception, the batch
/// is halved until the rows at fault stand alone: they get an error (stage embed, embedder_failed),
/// the others their vectors. `fail(index, error)` is called for each row at fault. `keep_on()` is
/// asked before each part; when it says no the rest is left out.
void embed_batch(std::int64_t count,
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
