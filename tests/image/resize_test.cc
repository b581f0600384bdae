#include "image/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "image/crop.h"
#include "image/resize_window.h"
#include "pictures.h"

namespace vecframe::image {
namespace {

constexpr Filter kFilters[] = {Filter::kBox, Filter::kBilinear, Filter::kBicubic, Filter::kLanczos};
constexpr Resampler kResamplers[] = {Resampler::kTorchvision, Resampler::kPillow12,
                                     Resampler::kPillow13};
constexpr Mode kModes[] = {Mode::kL, Mode::kLA, Mode::kRGB, Mode::kRGBA};

/// The definition, as plainly as it can be said: one axis, in int64, nothing shared with the code
/// under test.
std::vector<int> resample_axis(const std::vector<int>& in, int n_out, Filter filter, bool torch) {
  const auto n_in = static_cast<int>(in.size());
  if (n_in == n_out) return in;
  const auto kernel = [filter](double x) {
    if (filter == Filter::kBox) return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
    x = std::fabs(x);
    const auto sinc = [](double t) { return t == 0 ? 1.0 : std::sin(t * M_PI) / (t * M_PI); };
    if (filter == Filter::kBilinear) return x < 1 ? 1 - x : 0.0;
    if (filter == Filter::kLanczos) return x < 3 ? sinc(x) * sinc(x / 3) : 0.0;
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0.0;
  };
  const double support = filter == Filter::kBox        ? 0.5
                         : filter == Filter::kBilinear ? 1
                         : filter == Filter::kBicubic  ? 2
                                                       : 3;
  const double scale = double(n_in) / n_out, stretch = std::max(scale, 1.0);
  std::vector<int> first;
  std::vector<std::vector<double>> weights;
  double largest = 0;
  for (int i = 0; i < n_out; ++i) {
    const double center = (i + 0.5) * scale;
    const int lo = std::max(int(center - support * stretch + 0.5), 0);
    const int hi = std::min(int(center + support * stretch + 0.5), n_in);
    std::vector<double> w;
    double sum = 0;
    for (int j = lo; j < hi; ++j) {
      w.push_back(kernel((j - center + 0.5) * (1.0 / stretch)));
      sum += w.back();
    }
    for (double& v : w) largest = std::max(largest, v *= sum != 0 ? 1.0 / sum : 1.0);
    first.push_back(lo);
    weights.push_back(w);
  }
  int bits = 22;
  if (torch)
    for (bits = 0; bits < 22 && int(0.5 + largest * (1 << (bits + 1))) < 1 << 15;) ++bits;
  std::vector<int> out;
  for (int i = 0; i < n_out; ++i) {
    std::int64_t sum = bits > 0 ? std::int64_t{1} << (bits - 1) : 0;
    for (std::size_t j = 0; j < weights[i].size(); ++j) {
      const double w = weights[i][j];
      sum += std::int64_t(w * (1 << bits) + (w < 0 ? -0.5 : 0.5)) * in[first[i] + j];
    }
    out.push_back(static_cast<int>(std::clamp<std::int64_t>(sum >> bits, 0, 255)));
  }
  return out;
}

Image resample_columns(const Image& image, std::uint32_t height, Filter filter, bool torch) {
  Image result(image.mode(), {image.width(), height});
  for (std::size_t x = 0; x < image.row_bytes(); ++x) {
    std::vector<int> column;
    for (std::uint32_t y = 0; y < image.height(); ++y) column.push_back(image.row(y)[x]);
    column = resample_axis(column, static_cast<int>(height), filter, torch);
    for (std::uint32_t y = 0; y < height; ++y)
      result.row(y)[x] = static_cast<std::uint8_t>(column[y]);
  }
  return result;
}

Image resample_rows(const Image& image, std::uint32_t width, Filter filter, bool torch) {
  Image result(image.mode(), {width, image.height()});
  const auto pixel = static_cast<std::size_t>(num_channels(image.mode()));
  for (std::uint32_t y = 0; y < image.height(); ++y)
    for (std::size_t c = 0; c < pixel; ++c) {
      std::vector<int> row;
      for (std::uint32_t x = 0; x < image.width(); ++x) row.push_back(image.row(y)[x * pixel + c]);
      row = resample_axis(row, static_cast<int>(width), filter, torch);
      for (std::uint32_t x = 0; x < width; ++x)
        result.row(y)[x * pixel + c] = static_cast<std::uint8_t>(row[x]);
    }
  return result;
}

Image plainly(const Image& image, Size size, Filter filter, Resampler resampler) {
  const bool torch = resampler == Resampler::kTorchvision;
  const auto shrink = [](std::uint32_t from, std::uint32_t to) { return std::int64_t{from} - to; };
  const bool columns_first =
      resampler == Resampler::kPillow13 && size.height < image.height() &&
      shrink(image.height(), size.height) > 2 * shrink(image.width(), size.width);
  if (columns_first)
    return resample_rows(resample_columns(image, size.height, filter, torch), size.width, filter,
                         torch);
  return resample_columns(resample_rows(image, size.width, filter, torch), size.height, filter,
                          torch);
}

Box whole(const Image& image) { return {0, 0, image.width(), image.height()}; }

class OnEveryTarget : public testing::TestWithParam<std::int64_t> {
 protected:
  void SetUp() override { use_only_target(GetParam()); }
  void TearDown() override { use_only_target(0); }
};

TEST_P(OnEveryTarget, EqualsTheDefinitionOnRandomSizes) {
  std::mt19937 random(7);
  const auto side = [&random] {  // short sides as often as long ones
    const std::uint32_t limit = 1u << (1 + random() % 8);
    return static_cast<std::uint32_t>(1 + random() % limit);
  };
  for (int round = 0; round < 250; ++round) {
    const Mode mode = kModes[random() % 4];
    const Filter filter = kFilters[random() % 4];
    const Resampler resampler = kResamplers[random() % 3];
    const Image image =
        lcg_picture(mode, {side(), side()}, static_cast<std::uint32_t>(random() >> 1));
    const Size size{side(), side()};
    SCOPED_TRACE(testing::Message()
                 << image.width() << "x" << image.height() << " to " << size.width << "x"
                 << size.height << ", mode " << int(mode) << ", filter " << int(filter)
                 << ", resampler " << int(resampler));
    ASSERT_TRUE(same_pixels(resize(image, size, filter, resampler),
                            plainly(image, size, filter, resampler)));
  }
}

TEST_P(OnEveryTarget, ExtremeContrastSaturates) {
  for (const Filter filter : kFilters)
    for (const Resampler resampler : kResamplers)
      for (const Size size : {Size{64, 48}, Size{9, 50}, Size{48, 9}}) {
        const Image image = black_and_white_picture(Mode::kRGB, {37, 29}, 5);
        ASSERT_TRUE(same_pixels(resize(image, size, filter, resampler),
                                plainly(image, size, filter, resampler)));
      }
}

TEST_P(OnEveryTarget, AWindowIsTheCropOfTheWhole) {
  std::mt19937 random(11);
  const auto up_to = [&random](std::uint32_t limit) {
    return static_cast<std::uint32_t>(1 + random() % limit);
  };
  for (int round = 0; round < 200; ++round) {
    const Size from{up_to(70), up_to(70)};
    const Image image = lcg_picture(kModes[random() % 4], from, up_to(1u << 30));
    const Size size{up_to(90), up_to(90)};
    Box window;
    window.left = up_to(size.width) - 1;
    window.top = up_to(size.height) - 1;
    window.width = up_to(size.width - window.left);
    window.height = up_to(size.height - window.top);
    const Filter filter = round % 9 == 0 ? Filter::kNearest : kFilters[random() % 4];
    const Resampler resampler = kResamplers[random() % 3];
    const Image all = resize(image, size, filter, resampler);
    Image part(image.mode(), {window.width, window.height});
    resize_window(image, {whole(image), size, window, filter, resampler}, part.row(0),
                  part.row_bytes());
    ASSERT_TRUE(same_pixels(part, crop(all, window))) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Resize, OnEveryTarget, testing::ValuesIn(available_targets()),
                         [](const auto& target) { return target_name(target.param); });

TEST(Resize, ABoxIsResizedAsThePictureItCutsOut) {
  const Image image = lcg_picture(Mode::kRGB, {61, 47}, 99);
  const Box box{7, 5, 40, 33};
  for (const Filter filter : {Filter::kNearest, Filter::kBicubic, Filter::kLanczos})
    for (const Resampler resampler : kResamplers)
      for (const Size size : {Size{16, 16}, Size{80, 66}, Size{40, 9}, Size{9, 33}, Size{40, 33}})
        EXPECT_TRUE(same_pixels(resize(image, box, size, filter, resampler),
                                resize(crop(image, box), size, filter, resampler)));
}

TEST(Resize, EqualSizeCopies) {
  const Image image = lcg_picture(Mode::kRGBA, {19, 3}, 4);
  for (const Filter filter : {Filter::kNearest, Filter::kBox, Filter::kBicubic})
    EXPECT_TRUE(same_pixels(resize(image, image.size(), filter, Resampler::kTorchvision), image));
}

TEST(Resize, OnePixelFillsThePicture) {
  const Image image = lcg_picture(Mode::kRGB, {1, 1}, 3);
  for (const Filter filter : {Filter::kNearest, Filter::kBilinear, Filter::kLanczos})
    for (const Resampler resampler : kResamplers) {
      const Image result = resize(image, {33, 17}, filter, resampler);
      for (std::uint32_t y = 0; y < 17; ++y)
        for (std::uint32_t x = 0; x < 33; ++x)
          for (int c = 0; c < 3; ++c) ASSERT_EQ(result.row(y)[3 * x + c], image.row(0)[c]);
    }
}

TEST(Resize, HugeRatios) {
  const Image wide = lcg_picture(Mode::kRGB, {60000, 2}, 8);
  const Image tall = lcg_picture(Mode::kRGB, {2, 60000}, 8);
  for (const Resampler resampler : kResamplers) {
    EXPECT_TRUE(same_pixels(resize(wide, {1, 1}, Filter::kBicubic, resampler),
                            plainly(wide, {1, 1}, Filter::kBicubic, resampler)));
    EXPECT_TRUE(same_pixels(resize(tall, {5, 3}, Filter::kBilinear, resampler),
                            plainly(tall, {5, 3}, Filter::kBilinear, resampler)));
  }
}

/// Values computed by the libraries themselves; see tools/make_resize_goldens.py.
TEST(Resize, EqualsTheLibraries) {
  const nlohmann::json golden = read_golden("resize.json");
  ASSERT_GT(golden.at("cases").size(), 500u);
  for (const auto& row : golden.at("cases")) {
    const auto channels = row.at(0).get<int>();
    const Image image = lcg_picture(static_cast<Mode>(channels), {row.at(1), row.at(2)}, row.at(3));
    const Size size{row.at(4), row.at(5)};
    const Filter filter = filter_named(row.at(6));
    const Resampler resampler = resampler_named(row.at(7));
    EXPECT_EQ(crc32_of(resize(image, size, filter, resampler).pixels()), row.at(8)) << row.dump();
  }
}

}  // namespace
}  // namespace vecframe::image
