// A loaded text tower as an embedder; see local_embedder.h.
#pragma once

#include <memory>

#include "compute/backend.h"
#include "embed/text_embedder.h"
#include "models/text_model.h"

namespace vecframe::providers {

/// Packs the weights.
std::shared_ptr<embed::TextEmbedder> make_local_text_embedder(
    const models::TextModelDescription& description, std::shared_ptr<compute::Backend> backend,
    tensor::Precision precision);

}  // namespace vecframe::providers
