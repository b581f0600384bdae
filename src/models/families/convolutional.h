// What the convolutional families share: sizes of stages from config.json, and the description of
// a laid out network.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint.h"
#include "models/convolution_steps.h"
#include "models/image_model.h"

namespace vecframe::models {

/// Channels and blocks of each stage.
struct StageSizes {
  std::vector<std::int64_t> widths, depths;
};
/// `hidden_sizes` and `depths`; `fallback` is what a key that is not in the file means.
StageSizes read_stages(const JsonObject& config, const StageSizes& fallback);

/// The first of the prefixes with which a tensor of this name exists; the first one if none does.
std::string matching_prefix(const Checkpoint& checkpoint, std::string_view name,
                            const std::vector<std::string_view>& prefixes);

/// Throws RequestError unless `num_channels` is 3.
void check_colour(const JsonObject& config);

/// Checks that the collector has found what it was asked for, and binds the loader. `ignored`: see
/// TensorCollector::finish.
ImageModelDescription describe_convolutional_network(
    const std::shared_ptr<const Checkpoint>& checkpoint, std::string family, ConvolutionPlan plan,
    const TensorCollector& collector, const std::vector<std::string_view>& ignored,
    const image::PrepareSpec& prepare);

}  // namespace vecframe::models
