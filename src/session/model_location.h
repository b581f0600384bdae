// From the name a user gives a model to the place its files are: built in, a directory, or the
// local hub cache.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vecframe::session {

struct ModelLocation {
  enum class Kind : std::uint8_t { kBuiltin, kDirectory, kCached };
  Kind kind = Kind::kDirectory;
  std::filesystem::path directory;  ///< kDirectory, kCached
  std::string revision;             ///< kCached: the commit of the snapshot
};

/// Directory of this project's own cache: $VECFRAME_CACHE, else ~/.cache/vecframe.
std::filesystem::path cache_directory();

/// Directory of the Hugging Face cache: $HF_HUB_CACHE, else $HF_HOME/hub, else
/// ~/.cache/huggingface/hub. Source: huggingface_hub, guides/manage-cache (layout) and package
/// reference, environment variables.
std::filesystem::path hub_cache_directory();

/// `builtin:NAME`, an existing directory, or a hub id `[owner/]name[@revision]` whose snapshot is
/// in the hub cache. Throws RequestError that names the fix; `is_default` says that the user named
/// no model.
ModelLocation locate_model(const std::string& model, bool is_default);

/// Ids of the model snapshots in the hub cache that hold a config.json, sorted.
std::vector<std::string> cached_model_ids();

}  // namespace vecframe::session
