// The decode corpus against Pillow's verdicts, sizes, orientations and pixels.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "decode_goldens.h"
#include "image/convert.h"
#include "image/decode.h"
#include "image/orientation.h"
#include "source_directory.h"

namespace vecframe::image {
namespace {

// Where our verdict is not Pillow's, and why.
const std::map<std::string, std::string> kDivergences = {
    {"sharp__test_fixtures_testimgl.jpg",
     "lossless JPEG (SOF3) came with libjpeg-turbo 3; Debian 12 has 2.1"},
};

// libjpeg-turbo 2.1.5 and Pillow's 3.2.0 agree to the bit on all JPEGs of the corpus but two:
// progressive ones with scans left out, whose blocks the newer one smooths differently (by 9 and 2
// levels at most, 0.66 and 0.05 on average). This bounds the difference of the mean of a cell.
constexpr double kMostCellDifference = 2.0;

std::filesystem::path corpus_folder() {
  const char* shared = std::getenv("VECFRAME_SHARED");
  const std::filesystem::path root =
      shared != nullptr && *shared != '\0'
          ? std::filesystem::path(shared)
          : std::filesystem::path(VECFRAME_SOURCE_DIR).parent_path() / "shared";
  return root / "data" / "decode-corpus";
}

std::vector<std::byte> read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

class DecodeCorpus : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::is_directory(corpus_folder())) {
      GTEST_SKIP() << "no decode corpus at " << corpus_folder() << "; set VECFRAME_SHARED";
    }
    goldens_ = read_decode_goldens("corpus");
  }

  template <class Visit>
  void for_each_file(Visit visit) {
    int files = 0;
    for (const auto& item : goldens_.items()) {
      const std::string& name = item.key();
      const nlohmann::json& golden = item.value();
      SCOPED_TRACE(name);
      const auto path = corpus_folder() / name;
      ASSERT_TRUE(std::filesystem::exists(path));
      const auto bytes = read_bytes(path);
      ASSERT_EQ(crc32_of(bytes), golden["crc32"].get<std::uint32_t>()) << "not the file it was";
      visit(name, golden, bytes);
      ++files;
    }
    EXPECT_GT(files, 250);
  }

  nlohmann::json goldens_;
};

TEST_F(DecodeCorpus, VerdictsAreThoseOfPillow) {
  for_each_file([](const std::string& name, const nlohmann::json& golden, const auto& bytes) {
    const auto image = upright_rgb(bytes);
    const bool pillow = golden["decodes"].get<bool>();
    if (const auto found = kDivergences.find(name); found != kDivergences.end()) {
      EXPECT_NE(image.ok(), pillow) << "no longer a divergence: " << found->second;
      return;
    }
    EXPECT_EQ(image.ok(), pillow) << (image.ok() ? "decoded" : image.error().to_string());
    if (!image.ok()) {
      EXPECT_EQ(image.error().stage, Stage::kDecode);
    }
  });
}

TEST_F(DecodeCorpus, FilesOfOtherFormatsAreUnknown) {
  for_each_file([](const std::string&, const nlohmann::json& golden, const auto& bytes) {
    if (golden["decodes"].get<bool>() || golden["why"] != "another format") return;
    const auto info = probe(bytes);
    ASSERT_FALSE(info.ok());
    EXPECT_EQ(info.error().code, ErrorCode::kUnknownFormat);
  });
}

TEST_F(DecodeCorpus, FormatsSizesAndOrientationsAreThoseOfPillow) {
  for_each_file([](const std::string& name, const nlohmann::json& golden, const auto& bytes) {
    if (!golden["decodes"].get<bool>() || kDivergences.count(name) != 0) return;
    const auto info = probe(bytes);
    ASSERT_TRUE(info.ok()) << info.error().to_string();
    EXPECT_EQ(to_string(info->format), golden["format"].get<std::string>());
    EXPECT_EQ(info->orientation, golden["orientation"].get<int>());
    const Size size = oriented_size(info->size, info->orientation);
    EXPECT_EQ(size.width, golden["size"][0].get<std::uint32_t>());
    EXPECT_EQ(size.height, golden["size"][1].get<std::uint32_t>());
  });
}

TEST_F(DecodeCorpus, PixelsAreThoseOfPillow) {
  int exact_jpegs = 0, jpegs = 0;
  for_each_file([&](const std::string&, const nlohmann::json& golden, const auto& bytes) {
    const auto image = upright_rgb(bytes);
    if (!image.ok()) return;
    const bool equal = crc32_of(*image) == golden["rgb_crc32"].get<std::uint32_t>();
    if (golden["format"] != "jpeg") {
      EXPECT_TRUE(equal);
      return;
    }
    ++jpegs;
    exact_jpegs += equal;
    const auto sums = cell_sums(*image), counts = cell_pixels(image->size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (counts[i] == 0) continue;
      const auto difference = static_cast<double>(sums[i] - golden["cells"][i].get<std::int64_t>());
      EXPECT_LE(std::abs(difference) / static_cast<double>(counts[i]), kMostCellDifference);
    }
  });
  RecordProperty("jpegs", jpegs);
  RecordProperty("exact_jpegs", exact_jpegs);
  EXPECT_GT(jpegs, 50);
}

}  // namespace
}  // namespace vecframe::image
