// A loaded model as an embedder: one set of packed weights, a stream for each lane.
#pragma once

#include <memory>

#include "embed/embedder.h"
#include "models/image_model.h"
#include "providers/local/replica.h"

namespace vecframe::providers {

/// Packs the weights for every backend: a replica each, which lanes take in turn. There is one at
/// least.
std::shared_ptr<embed::ImageEmbedder> make_local_embedder(
    const models::ImageModelDescription& description, const Backends& backends,
    tensor::Precision precision);

}  // namespace vecframe::providers
