// From the name a user gives a model to the place its files are: built in, a directory, or the
// local hub cache, into which a model of the hub is downloaded.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "providers/http/hub_repository.h"
#include "providers/http/temporary_directory.h"

namespace vecframe::session {

struct ModelLocation {
  enum class Kind : std::uint8_t {
    kBuiltin,
    kDirectory,
    kCached,
    kHeaders,  ///< a model of the hub whose weights are not here: no more than can be described
  };
  Kind kind = Kind::kDirectory;
  std::filesystem::path directory;  ///< of all but kBuiltin
  std::string revision;             ///< kCached, kHeaders: the commit
  /// kHeaders: owns the directory.
  std::shared_ptr<const providers::TemporaryDirectory> temporary;
};

/// Directory of this project's own cache: $VECFRAME_CACHE, else ~/.cache/vecframe.
std::filesystem::path cache_directory();

/// What may come from the hub if it is not on this machine.
enum class Fetch : std::uint8_t { kNothing, kHeaders, kWeights };

struct LocateOptions {
  Fetch fetch = Fetch::kWeights;
  std::vector<std::string> known_ids;  ///< to find the one that was meant
  providers::HubOptions hub;
};

/// `builtin:NAME`, an existing directory, or a hub id `[owner/]name[@revision]`, which is
/// downloaded into the hub cache unless it is there. With Fetch::kHeaders the cache stays as it is.
/// Throws RequestError that names the fix, and Cancelled; `is_default` says that the user named no
/// model.
ModelLocation locate_model(const std::string& model, bool is_default,
                           const LocateOptions& options = {});

/// Ids of the model snapshots in the hub cache that hold a configuration, sorted.
std::vector<std::string> cached_model_ids();

}  // namespace vecframe::session
