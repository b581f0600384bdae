// The composition root: the one place that knows every backend and every provider.
#pragma once

#include <vecframe/expression.h>
#include <vecframe/models.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "compute/registry.h"
#include "embed/embedder.h"

namespace vecframe::session {

class Session {
 public:
  /// The session of this process.
  static Session& current();

  void set_provider(std::optional<std::string> provider, std::optional<std::string> model);
  std::optional<std::string> provider() const;

  /// Resolves provider (explicit, session, environment, default) and model, and describes the
  /// embedder; a model of the hub is downloaded first, if it may be. Throws RequestError.
  std::shared_ptr<const embed::ImageEmbedderDescriptor> describe(const EmbedImageOptions& options,
                                                                 bool may_download = true) const;
  std::vector<ModelInfo> models() const;

 private:
  Session();

  compute::Registry backends_;
  mutable std::mutex mutex_;
  std::optional<std::string> provider_, model_;  // guarded by mutex_
};

}  // namespace vecframe::session
