#include "session/provider_call.h"

#include <fmt/format.h>
#include <vecframe/error.h>
#include <vecframe/session.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "session/gpus.h"
#include "session/local_models.h"
#include "session/provider_options.h"
#include "session/provider_table.h"
#include "session/resolution.h"

namespace vecframe::session {
namespace {

constexpr std::int64_t kMostRows = 65536;        // of a batch
constexpr std::int64_t kMostConcurrency = 4096;  // more threads or requests help nobody
constexpr std::int64_t kMostRetries = 1000;

void check_range(const std::string& name, std::int64_t value, std::int64_t least,
                 std::int64_t most) {
  if (value >= least && value <= most) return;
  throw RequestError(
      fmt::format("{}: {} is out of range; give {} to {}", name, value, least, most));
}

void check_gpus(double each, std::int64_t embedders, bool on_cluster) {
  if (!(each >= 0) || (each > 1 && each != std::floor(each)))
    throw RequestError(fmt::format(
        "num_gpus: {} is no number of GPUs; give a whole number, or a part of one", each));
  if (on_cluster) return;
  const int found = count_gpus();
  if (each * static_cast<double>(embedders) <= found) return;
  throw RequestError(
      fmt::format("num_gpus: {} for each of {} embedders is more than this machine has: {}", each,
                  embedders, found == 0 ? "no GPU was found" : fmt::format("{} found", found)));
}

}  // namespace

embed::EmbedderFacts facts_of(const exec::RowDescriptor& descriptor) {
  const EmbedderIdentity& identity = exec::identity_of(descriptor);
  embed::EmbedderFacts facts;
  facts.provider = identity.provider;
  facts.model = identity.model;
  facts.model_fingerprint = identity.fingerprint;
  facts.dimension = identity.dimension;
  facts.details = identity.details;
  return facts;
}

void check_replicas(const EmbedOptions& options) {
  if (options.concurrency) check_range("concurrency", *options.concurrency, 1, kMostConcurrency);
  check_gpus(options.num_gpus.value_or(0), options.concurrency.value_or(1), options.on_cluster);
}

plan::EmbedCall provider_call(exec::RowDescriptor descriptor, const EmbedOptions& given,
                              const OptionValues& shown) {
  const EmbedderIdentity& identity = exec::identity_of(descriptor);
  const CallRules& rules = exec::rules_of(descriptor);
  if (identity.dimension < 1)
    throw RequestError(
        fmt::format("provider '{}': its vectors have {} values; it has to say how many",
                    identity.provider, identity.dimension));
  const auto one_of_both = [](const auto& own, const auto& other) { return own ? own : other; };
  if (const auto rows = one_of_both(given.batch_size, rules.batch_size))
    check_range("batch_size", *rows, 1, kMostRows);
  const auto concurrency = one_of_both(given.concurrency, rules.concurrency);
  if (concurrency) check_range("concurrency", *concurrency, 1, kMostConcurrency);
  check_range("max_retries", given.max_retries.value_or(rules.max_retries), 0, kMostRetries);
  check_gpus(given.num_gpus.value_or(rules.num_gpus), rules.is_async ? 1 : concurrency.value_or(1),
             given.on_cluster);
  plan::EmbedCall call;
  call.concurrency = given.concurrency;
  call.max_retries = given.max_retries;
  call.num_gpus = given.num_gpus;
  for (const auto& [name, value] : shown) call.options.emplace(name, value);
  call.handle = std::make_shared<ProviderEmbedder>(std::move(descriptor));
  return call;
}

std::shared_ptr<const plan::EmbedderHandle> find_embedder(const plan::EmbedCall& call) {
  const auto provider = find_provider(*Session::current().table(), call.provider);
  // One that is not known is refused where the run needs it.
  if (provider == nullptr || as_local(*provider) != nullptr) return nullptr;
  EmbedRequest request{call.model, call.dimensions, {}, call.concurrency, call.max_retries};
  for (const auto& [name, value] : call.options) request.options.emplace(name, value);
  const bool pictures = call.function == plan::EmbedFunction::kImage;
  check_options(pictures ? "embed_image" : "embed_text", *provider, request.options);
  exec::RowDescriptor descriptor;
  if (pictures) {
    descriptor = provider->describe_pictures(request);
  } else {
    descriptor = provider->describe_texts(request);
  }
  if (std::visit([](const auto& one) { return one == nullptr; }, descriptor)) return nullptr;
  const EmbedderIdentity& found = exec::identity_of(descriptor);
  if (found.fingerprint != call.model_fingerprint ||
      call.dimensions.value_or(found.dimension) != call.dimension)
    throw RequestError(fmt::format(
        "provider '{}': its model '{}' is not the one that this plan was built for; build the plan "
        "again",
        call.provider, call.model));
  return std::make_shared<ProviderEmbedder>(std::move(descriptor));
}

}  // namespace vecframe::session
