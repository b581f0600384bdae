// The embedder of a call of a plan, made again from what the plan keeps of it.
#pragma once

#include <vecframe/run.h>

#include <memory>

#include "embed/embedder.h"
#include "embed/text_embedder.h"
#include "plan/expression_node.h"

namespace vecframe::session {

/// Throws RequestError if the model's files changed after the plan was built.
std::shared_ptr<const embed::ImageEmbedderDescriptor> describe_image_call(
    const plan::EmbedCall& call, const RunOptions& run);
std::shared_ptr<const embed::TextEmbedderDescriptor> describe_text_call(const plan::EmbedCall& call,
                                                                        const RunOptions& run);

}  // namespace vecframe::session
