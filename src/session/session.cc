#include "session/session.h"

#include <vecframe/error.h>
#include <vecframe/session.h>
#include <vecframe/suggest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "backends/cpu/cpu_backend.h"
#include "backends/reference/reference_backend.h"
#include "base/cancellation.h"
#include "providers/local/local_provider.h"
#include "session/download_progress.h"
#include "session/model_location.h"

namespace vecframe::session {
namespace {

constexpr const char* kDefaultProvider = "transformers";
constexpr const char* kDefaultModel = "openai/clip-vit-base-patch32";
constexpr const char* kBuiltinModel = "builtin:efficientnet-lite0";

// Widely used checkpoints that this version runs, for `vecframe models`. Facts from their public
// model cards.
struct KnownModel {
  const char* id;
  const char* family;
  std::int64_t dimension;
  const char* licence;
  std::int64_t parameters;
  double gflop;
};
constexpr std::array kKnownModels{
    KnownModel{"openai/clip-vit-base-patch32", "clip", 512, "MIT", 87'849'216, 8.8},
    KnownModel{"openai/clip-vit-base-patch16", "clip", 512, "MIT", 86'192'640, 35.1},
    KnownModel{"openai/clip-vit-large-patch14", "clip", 768, "MIT", 303'966'208, 162.0},
    KnownModel{"facebook/dinov2-small", "dinov2", 384, "Apache-2.0", 22'056'576, 12.3},
    KnownModel{"facebook/dinov2-base", "dinov2", 768, "Apache-2.0", 86'580'480, 46.3},
    KnownModel{"facebook/dinov2-large", "dinov2", 1024, "Apache-2.0", 304'368'640, 162.0},
    KnownModel{"facebook/dinov2-giant", "dinov2", 1536, "Apache-2.0", 1'136'480'768, 598.8},
    KnownModel{"facebook/dinov2-with-registers-base", "dinov2-with-registers", 768, "Apache-2.0",
               86'583'552, 47.1},
    KnownModel{"facebook/dinov3-vits16-pretrain-lvd1689m", "dinov3", 384, "dinov3-license",
               21'596'544, 9.4},
    KnownModel{"facebook/dinov3-vitb16-pretrain-lvd1689m", "dinov3", 768, "dinov3-license",
               85'660'416, 35.9},
    KnownModel{"google/siglip-base-patch16-224", "siglip", 768, "Apache-2.0", 92'884'224, 35.4},
    KnownModel{"google/siglip-so400m-patch14-384", "siglip", 1152, "Apache-2.0", 428'225'600,
               670.4},
    KnownModel{"google/siglip2-base-patch16-224", "siglip", 768, "Apache-2.0", 92'884'224, 35.4},
    KnownModel{"google/siglip2-so400m-patch16-384", "siglip", 1152, "Apache-2.0", 428'256'704,
               518.9},
    KnownModel{"google/siglip2-base-patch16-naflex", "siglip2", 768, "Apache-2.0", 92'930'304,
               46.8},
    KnownModel{"google/siglip2-so400m-patch16-naflex", "siglip2", 1152, "Apache-2.0", 427'888'064,
               220.5},
    KnownModel{"apple/aimv2-large-patch14-224", "aimv2", 1024, "apple-amlr", 309'197'824, 164.6},
    KnownModel{"apple/aimv2-large-patch14-224-lit", "aimv2", 768, "apple-amlr", 313'132'032, 165.7},
    KnownModel{"google/vit-base-patch16-224-in21k", "vit", 768, "Apache-2.0", 86'389'248, 35.1},
    KnownModel{"microsoft/resnet-50", "resnet", 2048, "Apache-2.0", 23'561'152, 8.2},
    KnownModel{"facebook/convnext-tiny-224", "convnext", 768, "Apache-2.0", 27'820'128, 8.9},
};

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

void check_provider(const std::string& provider) {
  const std::vector<std::string> known{"transformers", "builtin"};
  if (std::find(known.begin(), known.end(), provider) != known.end()) return;
  const std::string nearest = nearest_name(provider, known);
  // The first sentence is the one users of the reference match on.
  throw RequestError(
      "Provider '" + provider + "' is not yet supported." +
      (nearest.empty() ? " There are: transformers, builtin" : " Did you mean '" + nearest + "'?"));
}

ModelInfo to_info(const embed::EmbedderFacts& facts, std::string state) {
  ModelInfo info;
  info.name = facts.model;
  info.provider = facts.provider;
  info.family = facts.family;
  info.state = std::move(state);
  info.dimension = facts.dimension;
  info.licence = facts.licence;
  info.parameters = facts.parameters;
  info.gflop_per_image = facts.flops_per_row / 1e9;
  return info;
}

std::string state_of(ModelLocation::Kind kind) {
  switch (kind) {
    case ModelLocation::Kind::kBuiltin:
      return "built-in";
    case ModelLocation::Kind::kDirectory:
      return "directory";
    case ModelLocation::Kind::kCached:
      return "cached";
    case ModelLocation::Kind::kHeaders:
      return "not downloaded";
  }
  return "";
}

}  // namespace

Session& Session::current() {
  static Session session;
  return session;
}

Session::Session() {
  backends_.add({"reference", 1, [] { return backends::reference::make_reference_backend(); }});
  backends_.add({"cpu", 100, [] { return backends::cpu::make_cpu_backend(); }});
}

void Session::set_provider(std::optional<std::string> provider, std::optional<std::string> model) {
  if (provider) check_provider(*provider);
  std::lock_guard lock(mutex_);
  provider_ = std::move(provider);
  model_ = std::move(model);
}

std::optional<std::string> Session::provider() const {
  std::lock_guard lock(mutex_);
  return provider_;
}

Session::Resolved Session::resolve(const EmbedOptions& options, Fetch fetch, bool with_tokenizer,
                                   const DownloadOptions& download) const {
  std::optional<std::string> session_provider, session_model;
  {
    std::lock_guard lock(mutex_);
    session_provider = provider_;
    session_model = model_;
  }
  const auto first = [](auto a, auto b, auto c) { return a ? a : (b ? b : c); };
  Resolved resolved;
  resolved.provider = first(options.provider, session_provider, environment("VECFRAME_PROVIDER"))
                          .value_or(kDefaultProvider);
  check_provider(resolved.provider);
  const std::optional<std::string> named =
      first(options.model, session_model, environment("VECFRAME_MODEL"));
  const bool builtin = resolved.provider == "builtin";
  resolved.model = named.value_or(builtin ? kBuiltinModel : kDefaultModel);
  if (builtin && !resolved.model.starts_with("builtin:"))
    resolved.model = "builtin:" + resolved.model;

  LocateOptions locate;
  locate.fetch = fetch;
  locate.hub.with_tokenizer = with_tokenizer;
  locate.hub.progress = throttled_progress(resolved.model, download);
  if (download.stop)
    locate.hub.cancellation = static_cast<const CancellationToken*>(download.stop->state().get());
  for (const KnownModel& known : kKnownModels) locate.known_ids.emplace_back(known.id);
  resolved.location = locate_model(resolved.model, /*is_default=*/!named, locate);
  return resolved;
}

std::shared_ptr<const embed::ImageEmbedderDescriptor> Session::describe(
    const EmbedImageOptions& options, const DownloadOptions& download) const {
  return describe_images(resolve(options, Fetch::kWeights, /*with_tokenizer=*/false, download),
                         options);
}

std::shared_ptr<const embed::ImageEmbedderDescriptor> Session::describe_images(
    const Resolved& resolved, const EmbedImageOptions& options) const {
  const providers::LocalModelOptions local{options.precision, options.device, options.pooling,
                                           options.image_size};
  if (resolved.location.kind == ModelLocation::Kind::kBuiltin)
    return providers::describe_builtin(resolved.model, cache_directory(), local, backends_);
  return providers::describe_directory(resolved.model, resolved.location.directory, local,
                                       backends_, resolved.provider, resolved.location.revision);
}

std::shared_ptr<const embed::TextEmbedderDescriptor> Session::describe_text(
    const EmbedTextOptions& options, const DownloadOptions& download) const {
  const Resolved resolved = resolve(options, Fetch::kWeights, /*with_tokenizer=*/true, download);
  if (resolved.location.kind == ModelLocation::Kind::kBuiltin)
    throw RequestError("model: '" + resolved.model +
                       "' embeds pictures only; for texts give a model with a text tower, such as "
                       "openai/clip-vit-base-patch32 or google/siglip2-base-patch16-224");
  const providers::LocalModelOptions local{options.precision, options.device, "default", {}};
  return providers::describe_text_directory(resolved.model, resolved.location.directory, local,
                                            backends_, resolved.provider,
                                            resolved.location.revision);
}

ModelInfo Session::details(const EmbedImageOptions& options,
                           const DownloadOptions& download) const {
  using Kind = ModelLocation::Kind;
  const Resolved resolved = resolve(options, Fetch::kHeaders, /*with_tokenizer=*/false, download);
  const auto descriptor = describe_images(resolved, options);
  const embed::EmbedderFacts& facts = descriptor->facts();
  const image::PrepareSpec& prepare = descriptor->prepare_spec();
  ModelInfo info = to_info(facts, state_of(resolved.location.kind));
  info.image_height = prepare.slot_size().height;
  info.image_width = prepare.slot_size().width;
  info.processor = prepare.readable_text();
  info.revision = facts.revision;
  info.has_text_tower = facts.has_text_tower;
  if (resolved.location.kind == Kind::kBuiltin) {
    info.directory = providers::builtin_directory(cache_directory()).string();
  } else if (resolved.location.kind != Kind::kHeaders) {
    info.directory = resolved.location.directory.string();
  }
  return info;
}

std::vector<ModelInfo> Session::models() const {
  std::vector<ModelInfo> all;
  const auto describe_as = [&](const std::string& name, const std::string& state) {
    EmbedImageOptions options;
    options.provider = kDefaultProvider;
    options.model = name;
    const Resolved resolved = resolve(options, Fetch::kNothing, /*with_tokenizer=*/false, {});
    all.push_back(to_info(describe_images(resolved, options)->facts(), state));
  };
  try {
    describe_as(kBuiltinModel, "built-in");
  } catch (const RequestError&) {
    ModelInfo info;
    info.name = kBuiltinModel;
    info.provider = "builtin";
    info.family = "efficientnet-lite0";
    info.state = "built-in, not fetched";
    info.dimension = 1280;
    info.licence = "Apache-2.0";
    all.push_back(info);
  }
  for (const std::string& id : cached_model_ids()) {
    try {
      describe_as(id, "cached");
    } catch (const RequestError&) {
      // A cached model of a family this version does not run: not a choice here.
    }
  }
  for (const KnownModel& known : kKnownModels) {
    const auto same = [&](const ModelInfo& info) { return info.name == known.id; };
    if (std::any_of(all.begin(), all.end(), same)) continue;
    ModelInfo info;
    info.name = known.id;
    info.provider = kDefaultProvider;
    info.family = known.family;
    info.state = "known";
    info.dimension = known.dimension;
    info.licence = known.licence;
    info.parameters = known.parameters;
    info.gflop_per_image = known.gflop;
    all.push_back(std::move(info));
  }
  return all;
}

}  // namespace vecframe::session

namespace vecframe {

std::vector<ModelInfo> list_models() { return session::Session::current().models(); }

ModelInfo describe_model(const EmbedImageOptions& options, const DownloadOptions& download) {
  return session::Session::current().details(options, download);
}

void set_provider(const std::optional<std::string>& provider,
                  const std::optional<std::string>& model) {
  session::Session::current().set_provider(provider, model);
}

std::optional<std::string> current_provider() { return session::Session::current().provider(); }

}  // namespace vecframe
