#include "backends/reference/packed.h"

#include <algorithm>
#include <cmath>

#include "tensor/int8.h"

namespace vecframe::backends::reference {
namespace {

// The values that 8-bit integers with this scale stand for.
void round_to(std::span<float> row, const tensor::Int8Scale& scale, std::int32_t low,
              std::int32_t high) {
  for (float& value : row) {
    const std::int32_t stored = tensor::to_int8(value, scale, low, high);
    value = static_cast<float>(stored - scale.zero) * scale.scale;
  }
}

void round_bf16(std::span<float> values) {
  for (float& value : values) value = tensor::bf16_to_float(tensor::float_to_bf16(value));
}

void round_f16(std::span<float> values) {
  for (float& value : values) value = tensor::f16_to_float(tensor::float_to_f16_saturated(value));
}

bool is_finite(std::span<const float> row) {
  return std::all_of(row.begin(), row.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

void round_inputs(std::span<float> rows, std::int64_t columns, tensor::Precision precision) {
  if (precision == tensor::Precision::kBf16) round_bf16(rows);
  if (precision == tensor::Precision::kFp16) round_f16(rows);
  if (precision != tensor::Precision::kInt8) return;
  const auto n = static_cast<std::size_t>(columns);
  for (std::size_t first = 0; first < rows.size(); first += n) {
    const std::span<float> row = rows.subspan(first, n);
    const auto [low, high] = std::minmax_element(row.begin(), row.end());
    const float nothing = is_finite(row) ? 0.0f : std::nanf("");
    round_to(row, tensor::int8_input_scale(*low + nothing, *high + nothing), 0,
             tensor::kLargestInt8Input);
  }
}

std::vector<float> rounded_weights(std::span<const float> weight, std::int64_t columns,
                                   tensor::Precision precision) {
  std::vector<float> rounded(weight.begin(), weight.end());
  if (precision == tensor::Precision::kBf16) round_bf16(rounded);
  if (precision == tensor::Precision::kFp16) round_f16(rounded);
  if (precision != tensor::Precision::kInt8) return rounded;
  const auto n = static_cast<std::size_t>(columns);
  for (std::size_t first = 0; first < rounded.size(); first += n) {
    const std::span<float> row = std::span(rounded).subspan(first, n);
    float largest = is_finite(row) ? 0.0f : std::nanf("");
    for (const float value : row) largest = std::max(largest, std::fabs(value));
    round_to(row, tensor::int8_weight_scale(largest), -tensor::kLargestInt8Weight,
             tensor::kLargestInt8Weight);
  }
  return rounded;
}

}  // namespace vecframe::backends::reference
