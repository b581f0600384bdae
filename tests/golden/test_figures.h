// How close a model came to its reference, in the test program's own report.
#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace vecframe::golden {

/// What models reach at fp16, which rounds to 11 bits.
inline constexpr double kLeastCosineOfFp16 = 0.9999;

/// tools/measure_models.py reads these properties. `difference` is the largest of any value in
/// float32, `turn` one minus the smallest cosine in bfloat16.
inline void record_figures(const std::string& golden, const std::string& backend, double difference,
                           std::optional<double> turn = std::nullopt) {
  testing::Test::RecordProperty("golden", golden);
  testing::Test::RecordProperty("backend", backend);
  testing::Test::RecordProperty("difference", fmt::format("{:.3g}", difference));
  if (turn) testing::Test::RecordProperty("turn", fmt::format("{:.3g}", *turn));
}

}  // namespace vecframe::golden
