#include "session/engine.h"

#include <vecframe/error.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "backends/cpu/cpu_backend.h"
#include "backends/reference/reference_backend.h"
#include "base/cancellation.h"
#include "providers/local/local_provider.h"
#include "session/download_progress.h"
#include "session/known_models.h"
#include "session/model_location.h"
#include "session/own_directory.h"

namespace vecframe::session {
namespace {

constexpr const char* kDefaultProvider = "transformers";
constexpr const char* kDefaultModel = "openai/clip-vit-base-patch32";
constexpr const char* kBuiltinModel = "builtin:efficientnet-lite0";

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

const Engine& Engine::instance() {
  static const Engine engine;
  return engine;
}

Engine::Engine() {
  backends_.add({"reference", 1, [] { return backends::reference::make_reference_backend(); }});
  backends_.add({"cpu", 100, [] { return backends::cpu::make_cpu_backend(); }});
  // The driver's devices, natively and under WSL.
  const auto has_driver = [] {
    std::error_code ignored;
    return std::filesystem::exists("/dev/nvidiactl", ignored) ||
           std::filesystem::exists("/dev/dxg", ignored);
  };
  backends_.add_module({"cuda", (own_directory() / "libvecframe_cuda.so").string(), has_driver});
}

Engine::Located Engine::locate(const std::string& provider, const std::optional<std::string>& model,
                               Fetch fetch, bool with_tokenizer,
                               const DownloadOptions& download) const {
  const bool builtin = provider == "builtin";
  Located located;
  located.provider = provider;
  located.model = model.value_or(builtin ? kBuiltinModel : kDefaultModel);
  if (builtin && !located.model.starts_with("builtin:")) located.model = "builtin:" + located.model;

  LocateOptions locate;
  locate.fetch = fetch;
  locate.hub.with_tokenizer = with_tokenizer;
  locate.hub.progress = throttled_progress(located.model, download);
  if (download.stop)
    locate.hub.cancellation = static_cast<const CancellationToken*>(download.stop->state().get());
  for (const KnownModel& known : known_models()) locate.known_ids.emplace_back(known.id);
  located.location = locate_model(located.model, /*is_default=*/!model, locate);
  return located;
}

std::shared_ptr<const embed::ImageEmbedderDescriptor> Engine::describe(
    const std::string& provider, const std::optional<std::string>& model,
    const EmbedImageOptions& options, const DownloadOptions& download) const {
  return describe_images(
      locate(provider, model, Fetch::kWeights, /*with_tokenizer=*/false, download), options);
}

std::shared_ptr<const embed::ImageEmbedderDescriptor> Engine::describe_images(
    const Located& located, const EmbedImageOptions& options) const {
  const providers::LocalModelOptions local{options.precision, options.device, options.pooling,
                                           options.image_size};
  if (located.location.kind == ModelLocation::Kind::kBuiltin)
    return providers::describe_builtin(located.model, cache_directory(), local, backends_);
  return providers::describe_directory(located.model, located.location.directory, local, backends_,
                                       located.provider, located.location.revision);
}

std::shared_ptr<const embed::TextEmbedderDescriptor> Engine::describe_text(
    const std::string& provider, const std::optional<std::string>& model,
    const EmbedTextOptions& options, const DownloadOptions& download) const {
  const Located located =
      locate(provider, model, Fetch::kWeights, /*with_tokenizer=*/true, download);
  if (located.location.kind == ModelLocation::Kind::kBuiltin)
    throw RequestError("model: '" + located.model +
                       "' embeds pictures only; for texts give a model with a text tower, such as "
                       "openai/clip-vit-base-patch32 or google/siglip2-base-patch16-224");
  const providers::LocalModelOptions local{options.precision, options.device, "default", {}};
  return providers::describe_text_directory(located.model, located.location.directory, local,
                                            backends_, located.provider, located.location.revision);
}

ModelInfo Engine::details(const std::string& provider, const std::optional<std::string>& model,
                          const EmbedImageOptions& options, const DownloadOptions& download) const {
  using Kind = ModelLocation::Kind;
  const Located located =
      locate(provider, model, Fetch::kHeaders, /*with_tokenizer=*/false, download);
  const auto descriptor = describe_images(located, options);
  const embed::EmbedderFacts& facts = descriptor->facts();
  const image::PrepareSpec& prepare = descriptor->prepare_spec();
  ModelInfo info = to_info(facts, state_of(located.location.kind));
  info.image_height = prepare.slot_size().height;
  info.image_width = prepare.slot_size().width;
  info.processor = prepare.readable_text();
  info.revision = facts.revision;
  info.has_text_tower = facts.has_text_tower;
  if (located.location.kind == Kind::kBuiltin) {
    info.directory = providers::builtin_directory(cache_directory()).string();
  } else if (located.location.kind != Kind::kHeaders) {
    info.directory = located.location.directory.string();
  }
  return info;
}

std::vector<ModelInfo> Engine::models() const {
  std::vector<ModelInfo> all;
  const auto describe_as = [&](const std::string& name, const std::string& state) {
    const Located located =
        locate(kDefaultProvider, name, Fetch::kNothing, /*with_tokenizer=*/false, {});
    all.push_back(to_info(describe_images(located, {})->facts(), state));
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
  for (const KnownModel& known : known_models()) {
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
