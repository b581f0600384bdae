// One batch through a lane, down to the rows that fail.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/row_error.h"
#include "embed/embedder.h"

namespace vecframe::exec {

/// Embeds `count` slots of `slot_bytes` into `out` [count, dimension]. If the embedder throws a
/// std::exception, the batch is halved until the rows at fault stand alone: they get an error
/// (stage embed, embedder_failed), the others their vectors. `fail(index, error)` is called for
/// each row at fault. `keep_on()` is asked before each part; when it says no the rest is left out.
void embed_batch(embed::EmbedLane& lane, const std::uint8_t* pixels, std::int64_t count,
                 std::size_t slot_bytes, std::int64_t dimension, float* out,
                 const std::function<void(std::int64_t, RowError)>& fail,
                 const std::function<bool()>& keep_on);

/// An error (stage embed, bad_output) if a value is NaN or infinite.
std::optional<RowError> check_vector(std::span<const float> vector);

/// Divides by the L2 norm, which is summed in float64. A vector of zeros stays.
void normalize_vector(std::span<float> vector);

}  // namespace vecframe::exec
