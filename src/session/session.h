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
#include "embed/text_embedder.h"
#include "session/model_location.h"

namespace vecframe::session {

class Session {
 public:
  /// The session of this process.
  static Session& current();

  void set_provider(std::optional<std::string> provider, std::optional<std::string> model);
  std::optional<std::string> provider() const;

  /// Resolves provider (explicit, session, environment, default) and model, and describes the
  /// embedder; a model of the hub is downloaded first. Throws RequestError, Cancelled.
  std::shared_ptr<const embed::ImageEmbedderDescriptor> describe(
      const EmbedImageOptions& options, const DownloadOptions& download = {}) const;
  /// The same for a text tower, with its tokenizer.
  std::shared_ptr<const embed::TextEmbedderDescriptor> describe_text(
      const EmbedTextOptions& options, const DownloadOptions& download = {}) const;
  /// Facts of a model of pictures, for which no weights are downloaded.
  ModelInfo details(const EmbedImageOptions& options, const DownloadOptions& download = {}) const;
  std::vector<ModelInfo> models() const;

 private:
  Session();

  /// A model by the name it has got, and where its files are.
  struct Resolved {
    std::string provider, model;
    ModelLocation location;
  };
  Resolved resolve(const EmbedOptions& options, Fetch fetch, bool with_tokenizer,
                   const DownloadOptions& download) const;
  std::shared_ptr<const embed::ImageEmbedderDescriptor> describe_images(
      const Resolved& resolved, const EmbedImageOptions& options) const;

  compute::Registry backends_;
  mutable std::mutex mutex_;
  std::optional<std::string> provider_, model_;  // guarded by mutex_
};

}  // namespace vecframe::session
