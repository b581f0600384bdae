#include "models/families/convolutional.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <cmath>
#include <utility>

#include "models/convolutional_network.h"

namespace vecframe::models {
namespace {

// Bounds of what a config may ask for; they keep every product of sizes within 64 bits.
constexpr std::int64_t kMaxWidth = 1 << 14;
constexpr std::int64_t kMaxDepth = 1024;
constexpr std::size_t kMaxStages = 16;

std::vector<std::int64_t> read_sizes(const JsonObject& config, std::string_view key,
                                     const std::vector<std::int64_t>& fallback, std::int64_t high) {
  if (!config.has(key)) return fallback;
  std::vector<std::int64_t> sizes;
  for (const double size : config.numbers(key)) {
    if (!(size >= 1 && size <= static_cast<double>(high)) || size != std::floor(size))
      throw RequestError(fmt::format("{}: '{}' has {}, which is not a whole number from 1 to {}",
                                     config.label(), key, size, high));
    sizes.push_back(static_cast<std::int64_t>(size));
  }
  if (sizes.empty() || sizes.size() > kMaxStages)
    throw RequestError(fmt::format("{}: '{}' has {} stages, not 1 to {}", config.label(), key,
                                   sizes.size(), kMaxStages));
  return sizes;
}

}  // namespace

StageSizes read_stages(const JsonObject& config, const StageSizes& fallback) {
  StageSizes sizes{read_sizes(config, "hidden_sizes", fallback.widths, kMaxWidth),
                   read_sizes(config, "depths", fallback.depths, kMaxDepth)};
  if (sizes.widths.size() != sizes.depths.size())
    throw RequestError(fmt::format("{}: 'hidden_sizes' has {} stages, but 'depths' has {}",
                                   config.label(), sizes.widths.size(), sizes.depths.size()));
  return sizes;
}

std::string matching_prefix(const Checkpoint& checkpoint, std::string_view name,
                            const std::vector<std::string_view>& prefixes) {
  for (const std::string_view prefix : prefixes)
    if (checkpoint.find(fmt::format("{}{}", prefix, name)) != nullptr) return std::string(prefix);
  return std::string(prefixes.front());
}

void check_colour(const JsonObject& config) {
  if (config.integer_or("num_channels", 3, 1, 1 << 16) != 3)
    throw RequestError(
        fmt::format("{}: 'num_channels' is not 3; only colour models run", config.label()));
}

ImageModelDescription describe_convolutional_network(
    const std::shared_ptr<const Checkpoint>& checkpoint, std::string family, ConvolutionPlan plan,
    const TensorCollector& collector, const std::vector<std::string_view>& ignored,
    const image::PrepareSpec& prepare) {
  collector.finish(ignored);
  ImageModelDescription description;
  description.family = std::move(family);
  description.dimension = plan.last.channels;
  description.parameters = collector.parameters();
  description.matrix_parameters = collector.matrix_parameters();
  description.flops_per_image = convolution_flops(plan);
  description.efficient_batch = 1;  // the early maps have thousands of rows a picture
  description.prepare = prepare;
  description.load = [checkpoint, plan = std::move(plan)](compute::Backend& backend,
                                                          tensor::Precision precision) {
    return load_convolutional_network(*checkpoint, plan, backend, precision);
  };
  return description;
}

}  // namespace vecframe::models
