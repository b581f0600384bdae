// A loaded model as an embedder: one set of packed weights, a stream for each lane.
#pragma once

#include <memory>

#include "compute/backend.h"
#include "embed/embedder.h"
#include "models/image_model.h"

namespace vecframe::providers {

/// Packs the weights.
std::shared_ptr<embed::ImageEmbedder> make_local_embedder(
    const models::ImageModelDescription& description, std::shared_ptr<compute::Backend> backend,
    tensor::Precision precision);

}  // namespace vecframe::providers
