// Calls of embed_image() and embed_text() that a provider's embedder carries out.
#pragma once

#include <vecframe/expression.h>
#include <vecframe/provider.h>

#include <memory>
#include <string>
#include <utility>

#include "embed/embedder.h"
#include "exec/row_caller.h"
#include "plan/expression_node.h"

namespace vecframe::session {

/// What a plan holds of such a call.
class ProviderEmbedder final : public plan::EmbedderHandle {
 public:
  explicit ProviderEmbedder(exec::RowDescriptor descriptor) : descriptor_(std::move(descriptor)) {}
  const exec::RowDescriptor& descriptor() const { return descriptor_; }

 private:
  exec::RowDescriptor descriptor_;
};

embed::EmbedderFacts facts_of(const exec::RowDescriptor& descriptor);

/// Fills what the call takes from the provider. `options` are those of the call that may be shown.
/// Throws RequestError: a number out of range, more GPUs than there are, more dimensions than the
/// vectors have.
plan::EmbedCall provider_call(exec::RowDescriptor descriptor, const EmbedOptions& given,
                              const OptionValues& shown);

/// The same checks of a call of a model that this library runs.
void check_replicas(const EmbedOptions& options);

/// The embedder of a call of a plan that came from another process, by the provider of that name in
/// the current session, else by the one that the library brings along; null for a model that this
/// library runs itself, and where there is no such provider. Credentials are those of this process.
/// Throws RequestError, also if the embedder is not the one that the plan was built for.
std::shared_ptr<const plan::EmbedderHandle> find_embedder(const plan::EmbedCall& call);

}  // namespace vecframe::session
