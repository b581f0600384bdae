// A loaded text tower as an embedder; see local_embedder.h.
#pragma once

#include <memory>

#include "embed/text_embedder.h"
#include "models/text_model.h"
#include "providers/local/replica.h"

namespace vecframe::providers {

/// Packs the weights for every backend: a replica each, which lanes take in turn. There is one at
/// least.
std::shared_ptr<embed::TextEmbedder> make_local_text_embedder(
    const models::TextModelDescription& description, const Backends& backends,
    tensor::Precision precision);

}  // namespace vecframe::providers
