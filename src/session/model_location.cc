#include "session/model_location.h"

#include <vecframe/error.h>
#include <vecframe/suggest.h>

#include <cstdlib>
#include <optional>
#include <system_error>
#include <utility>

#include "providers/http/hub_client.h"
#include "providers/http/hub_headers.h"

namespace vecframe::session {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBuiltinHint =
    "use --model builtin:efficientnet-lite0 (in code: model=\"builtin:efficientnet-lite0\")";

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

fs::path home() { return environment("HOME").value_or("/"); }

// "; did you mean 'x'?" where there is an id as near as that.
std::string suggestion(const std::string& id, const LocateOptions& options) {
  std::vector<std::string> candidates = options.known_ids;
  const std::vector<std::string> cached = cached_model_ids();
  candidates.insert(candidates.end(), cached.begin(), cached.end());
  const std::string nearest = nearest_name(id, candidates);
  return nearest.empty() || nearest == id ? "" : "; did you mean '" + nearest + "'?";
}

ModelLocation fetch_model(const providers::HubId& id, const providers::HubSettings& settings,
                          const LocateOptions& options) {
  using Kind = ModelLocation::Kind;
  const auto cached = [](providers::HubSnapshot snapshot) {
    return ModelLocation{Kind::kCached, std::move(snapshot.directory), std::move(snapshot.commit),
                         nullptr};
  };
  if (options.fetch != Fetch::kHeaders || settings.offline)
    return cached(providers::fetch_snapshot(id, settings, options.hub));
  const providers::HubCacheFolder folder(settings.cache, id.name);
  std::optional<providers::HubSnapshot> snapshot = folder.find(id.revision);
  if (snapshot && folder.is_complete(*snapshot, options.hub.with_tokenizer))
    return cached(std::move(*snapshot));
  try {
    providers::HubHeaders headers = providers::fetch_headers(id, settings, options.hub);
    const fs::path directory = headers.directory->path();
    return {Kind::kHeaders, directory, std::move(headers.commit), std::move(headers.directory)};
  } catch (const providers::HubError&) {
    if (!snapshot) throw;
    return cached(std::move(*snapshot));  // its reader says what is missing
  }
}

}  // namespace

fs::path cache_directory() {
  if (auto path = environment("VECFRAME_CACHE")) return *path;
  return home() / ".cache" / "vecframe";
}

ModelLocation locate_model(const std::string& model, bool is_default,
                           const LocateOptions& options) {
  using Kind = ModelLocation::Kind;
  if (model.starts_with("builtin:")) return {Kind::kBuiltin, {}, {}, nullptr};
  std::error_code ignored;
  if (fs::is_directory(model, ignored)) return {Kind::kDirectory, model, {}, nullptr};
  if (fs::exists(model, ignored)) {
    throw RequestError(
        "model: '" + model +
        "' is a file; give the directory that holds config.json and the safetensors");
  }
  const std::optional<providers::HubId> id = providers::parse_hub_id(model);
  if (!id) {
    throw RequestError("model: '" + model +
                       "' is neither a directory nor a hub id; check the path, or " +
                       std::string(kBuiltinHint));
  }
  providers::HubSettings settings = providers::HubSettings::from_environment();
  settings.offline = settings.offline || options.fetch == Fetch::kNothing;
  try {
    return fetch_model(*id, settings, options);
  } catch (const providers::HubError& error) {
    const bool unknown = error.kind() == providers::HubError::Kind::kNotFound;
    throw RequestError("model: '" + model + "'" + (is_default ? " (the default)" : "") +
                       " is not in the local cache " + settings.cache.string() + ", and " +
                       error.what() + (unknown ? suggestion(id->name, options) : "") +
                       "; or give a directory of safetensors, or " + std::string(kBuiltinHint));
  }
}

std::vector<std::string> cached_model_ids() {
  return providers::cached_model_ids(providers::hub_cache_directory());
}

}  // namespace vecframe::session
