// From the name a user gives a model to the place its files are: built in, a directory, or the
// local hub cache, into which a model of the hub is downloaded.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "providers/http/hub_client.h"

namespace vecframe::session {

struct ModelLocation {
  enum class Kind : std::uint8_t { kBuiltin, kDirectory, kCached };
  Kind kind = Kind::kDirectory;
  std::filesystem::path directory;  ///< kDirectory, kCached
  std::string revision;             ///< kCached: the commit of the snapshot
};

/// Directory of this project's own cache: $VECFRAME_CACHE, else ~/.cache/vecframe.
std::filesystem::path cache_directory();

struct LocateOptions {
  bool may_download = true;            ///< otherwise only what is on this machine
  std::vector<std::string> known_ids;  ///< to find the one that was meant
  providers::HubOptions hub;
};

/// `builtin:NAME`, an existing directory, or a hub id `[owner/]name[@revision]`, which is
/// downloaded into the hub cache unless it is there. Throws RequestError that names the fix;
/// `is_default` says that the user named no model.
ModelLocation locate_model(const std::string& model, bool is_default,
                           const LocateOptions& options = {});

/// Ids of the model snapshots in the hub cache that hold a configuration, sorted.
std::vector<std::string> cached_model_ids();

}  // namespace vecframe::session
