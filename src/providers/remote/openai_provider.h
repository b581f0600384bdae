// Provider "openai": servers that speak OpenAI's embeddings API, and take pictures in it.
#pragma once

#include <vecframe/provider.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "providers/remote/remote_embedder.h"

namespace vecframe::providers {

std::vector<OptionSpec> openai_options();

class OpenAiProvider final : public Provider {
 public:
  /// The value of a variable of the environment; nothing if it is unset or empty.
  using Environment = std::function<std::optional<std::string>(const std::string& name)>;

  /// `defaults`: of calls that do not say. Checked against openai_options().
  explicit OpenAiProvider(OptionValues defaults, Environment environment = process_environment);

  std::string name() const override { return "openai"; }
  std::vector<OptionSpec> options() const override;
  /// Asks the server how long the vectors of a model are if neither the request nor
  /// known_dimension() says so; once for each model.
  std::shared_ptr<const PictureDescriptor> describe_pictures(
      const EmbedRequest& request) const override;
  std::shared_ptr<const TextDescriptor> describe_texts(const EmbedRequest& request) const override;

 private:
  template <class Input>
  std::shared_ptr<const EmbedderDescriptor<Input>> describe(const EmbedRequest& request) const;
  RemoteModel model_of(const EmbedRequest& request) const;
  static std::optional<std::string> process_environment(const std::string& name);

  const OptionValues defaults_;
  const Environment environment_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::int64_t> asked_;  // guarded by mutex_
};

}  // namespace vecframe::providers
