// The composition root: the one place that knows every backend and every model, and describes what
// this library runs itself.
#pragma once

#include <vecframe/expression.h>
#include <vecframe/models.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compute/registry.h"
#include "embed/embedder.h"
#include "embed/text_embedder.h"
#include "session/model_location.h"

namespace vecframe::session {

class Engine {
 public:
  /// That of this process.
  static const Engine& instance();

  // `provider` is "transformers" or "builtin"; the options' own word for it does not count. A model
  // of the hub is downloaded first. Throw RequestError, Cancelled.
  std::shared_ptr<const embed::ImageEmbedderDescriptor> describe(
      const std::string& provider, const std::optional<std::string>& model,
      const EmbedImageOptions& options, const DownloadOptions& download = {}) const;
  /// The same for a text tower, with its tokenizer.
  std::shared_ptr<const embed::TextEmbedderDescriptor> describe_text(
      const std::string& provider, const std::optional<std::string>& model,
      const EmbedTextOptions& options, const DownloadOptions& download = {}) const;
  /// Facts of a model of pictures, for which no weights are downloaded.
  ModelInfo details(const std::string& provider, const std::optional<std::string>& model,
                    const EmbedImageOptions& options, const DownloadOptions& download = {}) const;
  std::vector<ModelInfo> models() const;

 private:
  Engine();

  /// A model by the name it has got, and where its files are.
  struct Located {
    std::string provider, model;
    ModelLocation location;
  };
  Located locate(const std::string& provider, const std::optional<std::string>& model, Fetch fetch,
                 bool with_tokenizer, const DownloadOptions& download) const;
  std::shared_ptr<const embed::ImageEmbedderDescriptor> describe_images(
      const Located& located, const EmbedImageOptions& options) const;

  compute::Registry backends_;
};

}  // namespace vecframe::session
