#include "compute/weights_check.h"

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>

namespace vecframe::compute {
namespace {

void check_count(std::string_view what, std::size_t given, std::int64_t expected) {
  if (static_cast<std::int64_t>(given) != expected)
    throw std::invalid_argument(
        fmt::format("{}: expected {} values, got {}", what, expected, given));
}

void check_bias(std::string_view what, std::span<const float> bias, std::int64_t expected) {
  if (!bias.empty()) check_count(what, bias.size(), expected);
}

void check_positive(std::string_view what, std::int64_t value) {
  if (value <= 0)
    throw std::invalid_argument(fmt::format("{}: expected a positive size, got {}", what, value));
}

}  // namespace

void check(const LinearWeights& weights) {
  check_positive("linear: in_features", weights.in_features);
  check_positive("linear: out_features", weights.out_features);
  check_count("linear: weight", weights.weight.size(), weights.in_features * weights.out_features);
  check_bias("linear: bias", weights.bias, weights.out_features);
}

void check(const PatchWeights& weights) {
  check_positive("patch embedding: patch", weights.patch);
  check_positive("patch embedding: out_features", weights.out_features);
  check_count("patch embedding: weight", weights.weight.size(),
              weights.out_features * 3 * weights.patch * weights.patch);
  check_bias("patch embedding: bias", weights.bias, weights.out_features);
}

void check(const ConvolutionWeights& weights) {
  check_positive("convolution: in_channels", weights.in_channels);
  check_positive("convolution: out_channels", weights.out_channels);
  check_positive("convolution: kernel", weights.kernel);
  check_positive("convolution: stride", weights.stride);
  if (weights.pad_before < 0 || weights.pad_after < 0)
    throw std::invalid_argument("convolution: negative padding");
  const bool dense = weights.groups == 1;
  const bool depthwise =
      weights.groups == weights.in_channels && weights.in_channels == weights.out_channels;
  if (!dense && !depthwise) {
    throw std::invalid_argument(
        fmt::format("convolution: groups must be 1 or the channel count, got {} for {} -> {}",
                    weights.groups, weights.in_channels, weights.out_channels));
  }
  check_count("convolution: weight", weights.weight.size(),
              weights.out_channels * (weights.in_channels / weights.groups) * weights.kernel *
                  weights.kernel);
  check_bias("convolution: bias", weights.bias, weights.out_channels);
}

}  // namespace vecframe::compute
