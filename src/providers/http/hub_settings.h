// What the environment says about the hub. Source of the names: huggingface_hub's reference of
// environment variables, so that a machine set up for it needs nothing more.
#pragma once

#include <filesystem>
#include <string>

namespace vecframe::providers {

struct HubSettings {
  std::string endpoint;         ///< without a slash at its end
  std::filesystem::path cache;  ///< the directory of models--* folders
  std::string token;            ///< "" if there is none; a secret
  bool offline = false;
  std::string ca_file;  ///< certificates to trust in place of the system's, or ""

  /// HF_ENDPOINT; HF_HUB_CACHE, else HF_HOME/hub, else $XDG_CACHE_HOME or ~/.cache and
  /// huggingface/hub; HF_TOKEN, else the file HF_TOKEN_PATH, else HF_HOME/token;
  /// HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE; SSL_CERT_FILE, as OpenSSL reads it. Throws
  /// RequestError for values that cannot be used.
  static HubSettings from_environment();
};

/// The cache directory alone; never throws for the other variables.
std::filesystem::path hub_cache_directory();

}  // namespace vecframe::providers
