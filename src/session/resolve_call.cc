#include "session/resolve_call.h"

#include <vecframe/error.h>

#include "session/engine.h"
#include "session/known_providers.h"
#include "session/local_models.h"

namespace vecframe::session {
namespace {

EmbedImageOptions options_of(const plan::EmbedCall& call) {
  EmbedImageOptions options;
  options.precision = call.precision;
  options.device = call.device;
  options.pooling = call.pooling;
  options.image_size = call.image_size;
  return options;
}

// A plan that came as a text has lost what its provider gave out.
void check_provider(const plan::EmbedCall& call) {
  const KnownProvider* known = find_known(call.provider);
  if (known != nullptr && as_local(*known->make({})) != nullptr) return;
  throw RequestError("provider: '" + call.provider +
                     "' made the embedder of this plan where it was built; attach a provider of "
                     "that name, or build the plan again");
}

// The plan was built for one content of the files; another is an error, not a surprise.
void check_unchanged(const plan::EmbedCall& call, const embed::EmbedderFacts& facts) {
  if (facts.model_fingerprint != call.model_fingerprint)
    throw RequestError("model: the files of '" + call.model +
                       "' changed after the plan was built; build the plan again");
  // A plan may have come as a text, which can say anything.
  const std::int64_t kept = call.dimensions.value_or(facts.dimension);
  if (kept < 1 || kept > facts.dimension || kept != call.dimension)
    throw RequestError("model: '" + call.model + "' gives vectors of " +
                       std::to_string(facts.dimension) + " values, not " +
                       std::to_string(call.dimension) + "; build the plan again");
}

}  // namespace

std::shared_ptr<const embed::ImageEmbedderDescriptor> describe_image_call(
    const plan::EmbedCall& call, const RunOptions& run) {
  check_provider(call);
  const DownloadOptions download{.on_progress = {}, .stop = run.stop};
  auto descriptor =
      Engine::instance().describe(call.provider, call.model, options_of(call), download);
  check_unchanged(call, descriptor->facts());
  return descriptor;
}

std::shared_ptr<const embed::TextEmbedderDescriptor> describe_text_call(const plan::EmbedCall& call,
                                                                        const RunOptions& run) {
  check_provider(call);
  const DownloadOptions download{.on_progress = {}, .stop = run.stop};
  EmbedTextOptions options;
  static_cast<EmbedOptions&>(options) = options_of(call);
  auto descriptor = Engine::instance().describe_text(call.provider, call.model, options, download);
  check_unchanged(call, descriptor->facts());
  return descriptor;
}

}  // namespace vecframe::session
