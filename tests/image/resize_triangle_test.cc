// The resampler of the reference dataframe.
#include "image/resize_triangle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "allocation_meter.h"
#include "image/crop.h"
#include "image/resize.h"
#include "pictures.h"

namespace vecframe::image {
namespace {

constexpr Mode kModes[] = {Mode::kL, Mode::kLA, Mode::kRGB, Mode::kRGBA};

/// The definition, one axis, as plainly as it can be said.
std::vector<float> resample_axis(const std::vector<float>& in, int n_out) {
  const int n_in = static_cast<int>(in.size());
  const float ratio = float(n_in) / float(n_out), stretch = std::max(ratio, 1.0f);
  std::vector<float> out;
  for (int i = 0; i < n_out; ++i) {
    const float center = (float(i) + 0.5f) * ratio;
    const int lo = std::clamp(int(std::floor(center - stretch)), 0, n_in - 1);
    const int hi = std::clamp(int(std::ceil(center + stretch)), lo + 1, n_in);
    std::vector<float> weights;
    float total = 0;
    for (int j = lo; j < hi; ++j) {
      const float x = std::fabs((float(j) - (center - 0.5f)) / stretch);
      weights.push_back(x < 1 ? 1 - x : 0.0f);
      total += weights.back();
    }
    float sum = 0;
    for (int j = lo; j < hi; ++j) sum += weights[std::size_t(j - lo)] / total * in[std::size_t(j)];
    out.push_back(sum);
  }
  return out;
}

Image plainly(const Image& image, Size size) {
  const auto pixel = static_cast<std::size_t>(num_channels(image.mode()));
  std::vector<std::vector<float>> columns;
  for (std::size_t at = 0; at < image.row_bytes(); ++at) {
    std::vector<float> column;
    for (std::uint32_t y = 0; y < image.height(); ++y) column.push_back(image.row(y)[at]);
    columns.push_back(resample_axis(column, static_cast<int>(size.height)));
  }
  Image result(image.mode(), size);
  for (std::uint32_t y = 0; y < size.height; ++y)
    for (std::size_t c = 0; c < pixel; ++c) {
      std::vector<float> row;
      for (std::uint32_t x = 0; x < image.width(); ++x) row.push_back(columns[x * pixel + c][y]);
      row = resample_axis(row, static_cast<int>(size.width));
      for (std::uint32_t x = 0; x < size.width; ++x)
        result.row(y)[x * pixel + c] =
            static_cast<std::uint8_t>(std::round(std::clamp(row[x], 0.0f, 255.0f)));
    }
  return result;
}

Image resized(const Image& image, Size size) {
  return resize(image, size, Filter::kBilinear, Resampler::kImageRs);
}

class TriangleOnEveryTarget : public testing::TestWithParam<std::int64_t> {
 protected:
  void SetUp() override { use_only_target(GetParam()); }
  void TearDown() override { use_only_target(0); }
};

TEST_P(TriangleOnEveryTarget, EqualsTheReference) {
  const nlohmann::json golden = read_golden("image_ops.json").at("resize");
  ASSERT_GT(golden.size(), 150u);
  for (const auto& row : golden) {
    const Image image =
        lcg_picture(static_cast<Mode>(row.at(0).get<int>()), {row.at(1), row.at(2)}, row.at(3));
    const Image result = resized(image, {row.at(4), row.at(5)});
    EXPECT_EQ(crc32_of(result.pixels()), row.at(6)) << row.dump();
  }
}

TEST_P(TriangleOnEveryTarget, EqualsTheDefinitionOnRandomSizes) {
  std::mt19937 random(17);
  const auto side = [&random] {  // short sides as often as long ones
    const std::uint32_t limit = 1u << (1 + random() % 8);
    return static_cast<std::uint32_t>(1 + random() % limit);
  };
  for (int round = 0; round < 200; ++round) {
    const Size from{side(), side()}, size{side(), side()};
    const auto seed = static_cast<std::uint32_t>(random() >> 1);
    const Mode mode = kModes[random() % 4];
    const Image image =
        round % 5 == 0 ? black_and_white_picture(mode, from, seed) : lcg_picture(mode, from, seed);
    ASSERT_TRUE(same_pixels(resized(image, size), plainly(image, size)))
        << from.width << "x" << from.height << " to " << size.width << "x" << size.height
        << ", mode " << int(mode);
  }
}

TEST_P(TriangleOnEveryTarget, AWindowIsTheCropOfTheWhole) {
  std::mt19937 random(19);
  const auto up_to = [&random](std::uint32_t limit) {
    return static_cast<std::uint32_t>(1 + random() % limit);
  };
  for (int round = 0; round < 150; ++round) {
    const Image image = lcg_picture(kModes[random() % 4], {up_to(70), up_to(70)}, up_to(1u << 30));
    Box source;
    source.left = up_to(image.width()) - 1;
    source.top = up_to(image.height()) - 1;
    source.width = up_to(image.width() - source.left);
    source.height = up_to(image.height() - source.top);
    const Size size{up_to(90), up_to(90)};
    Box window;
    window.left = up_to(size.width) - 1;
    window.top = up_to(size.height) - 1;
    window.width = up_to(size.width - window.left);
    window.height = up_to(size.height - window.top);
    Image part(image.mode(), {window.width, window.height});
    resize_window(image, {source, size, window, Filter::kBilinear, Resampler::kImageRs},
                  part.row(0), part.row_bytes());
    ASSERT_TRUE(same_pixels(part, crop(resized(crop(image, source), size), window)))
        << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Triangle, TriangleOnEveryTarget, testing::ValuesIn(available_targets()),
                         [](const auto& target) { return target_name(target.param); });

TEST(Triangle, HugeRatios) {
  for (const Size from : {Size{60000, 2}, Size{2, 60000}, Size{1, 60000}}) {
    const Image image = lcg_picture(Mode::kRGB, from, 8);
    EXPECT_TRUE(same_pixels(resized(image, {1, 1}), plainly(image, {1, 1})));
    EXPECT_TRUE(same_pixels(resized(image, {5, 3}), plainly(image, {5, 3})));
  }
  const Image dot = lcg_picture(Mode::kLA, {1, 1}, 8);
  const Image line = resized(dot, {50000, 1});
  for (std::uint32_t x = 0; x < line.width(); ++x) {
    ASSERT_EQ(line.row(0)[2 * x], dot.row(0)[0]);
    ASSERT_EQ(line.row(0)[2 * x + 1], dot.row(0)[1]);
  }
}

TEST(Triangle, MemoryIsBounded) {
  if (!can_meter_allocations()) GTEST_SKIP() << "a sanitizer has a malloc of its own";
  for (const Size from : {Size{700, 500}, Size{9000, 3}, Size{3, 9000}, Size{1, 1}})
    for (const Size size : {Size{224, 224}, Size{1, 1}, Size{3, 2000}}) {
      const Image image = lcg_picture(Mode::kRGB, from, 8);
      const ResizeWindow spec{{0, 0, from.width, from.height},
                              size,
                              {0, 0, size.width, size.height},
                              Filter::kBilinear,
                              Resampler::kImageRs};
      Image result(image.mode(), size);
      const AllocationMeter meter;
      resize_window(image, spec, result.row(0), result.row_bytes());
      EXPECT_LE(meter.peak(), static_cast<std::int64_t>(resize_window_bytes(spec, 3)) + 4096);
    }
}

}  // namespace
}  // namespace vecframe::image
