// JPEG decoded reduced, through both ways from a file to a vector: close to what the whole picture
// gives, with the file's own facts and the memory of what is held.

#include <algorithm>
#include <cstdint>
#include <utility>

#include "image/encode.h"
#include "parallel_map_run.h"

namespace vecframe::exec {
namespace {

using image::Mode;
using image::Size;

// A colour for each quarter, with a grain that makes no two decodings equal.
image::Image quartered(Size size, std::int64_t seed, Mode mode = Mode::kRGB) {
  image::Image picture(mode, size);
  const auto channels = static_cast<std::uint32_t>(num_channels(mode));
  std::uint32_t state = 1;
  for (std::uint32_t y = 0; y < size.height; ++y)
    for (std::uint32_t x = 0; x < size.width; ++x) {
      const int quarter = (y >= size.height / 2 ? 2 : 0) + (x >= size.width / 2 ? 1 : 0);
      const Colour colour = colour_of(seed * 4 + quarter);
      for (std::uint32_t c = 0; c < channels; ++c) {
        state = state * 1664525 + 1013904223;
        picture.row(y)[x * channels + c] =
            static_cast<std::uint8_t>(20 + colour[c] * 3 / 4 + (state >> 24) % 24);
      }
    }
  return picture;
}

std::string jpeg_bytes(const image::Image& picture, std::uint8_t orientation = 1) {
  image::EncodeOptions options;
  options.format = image::Format::kJpeg;
  options.quality = 90;
  const auto bytes = image::encode(picture, options);
  EXPECT_TRUE(bytes.ok());
  std::string file(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  if (orientation == 1) return file;
  // An EXIF block with a single entry, behind the marker that opens the file.
  std::string exif(
      "\xFF\xE1\x00\x22"
      "Exif\0\0"
      "MM\0\x2A\0\0\0\x08"
      "\0\x01"
      "\x01\x12\0\x03\0\0\0\x01\0\0\0\0"
      "\0\0\0\0",
      36);
  exif[29] = static_cast<char>(orientation);
  return file.insert(2, exif);
}

struct FastDecodeTest : ParallelMapTest {
  std::string write(const std::string& name, const std::string& bytes) {
    write_bytes(directory.file(name), bytes);
    return directory.file(name);
  }
  static std::vector<KeptRow> piped(const std::vector<std::string>& paths, bool fast,
                                    PipelineOptions options = test_options()) {
    options.fast_decode = fast;
    VectorListing listing(paths);
    KeepingSink sink;
    const Statistics statistics = exec::run(listing, colour_stage(), sink, options, {});
    EXPECT_LE(statistics.peak_budget_bytes, options.memory_limit);
    return std::move(sink.rows);
  }
  std::vector<OutputRow> mapped(const std::vector<std::string>& paths, const Node& picture) {
    plan::MapStep step = embedding("null", vecframe::OnError::kIgnore);
    auto embed = std::get<plan::EmbedCall>(step.columns[0].node->value);
    embed.argument = picture;
    step.columns[0].node = std::make_shared<plan::ExpressionNode>(plan::ExpressionNode{embed});
    context.known = std::make_shared<KnownVectorsOfPlan>();
    return ParallelMapTest::run(paths, step);
  }
  static Node resized(const Node& picture, std::int64_t side, const std::string& fit) {
    return call("resize", picture,
                {{"w", side}, {"h", side}, {"filter", std::string("triangle")}, {"fit", fit}});
  }
  static void expect_close(const std::vector<float>& a, const std::vector<float>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 2) << i;
  }
};

TEST_F(FastDecodeTest, VectorsAreCloseAndFactsAreThoseOfTheFile) {
  std::vector<std::string> paths;
  for (std::uint8_t orientation = 1; orientation <= 8; ++orientation)
    paths.push_back(write(std::to_string(orientation) + ".jpg",
                          jpeg_bytes(quartered({203, 131}, orientation), orientation)));
  paths.push_back(write("gray.jpg", jpeg_bytes(quartered({300, 200}, 9, Mode::kL))));
  const auto whole = piped(paths, false), fast = piped(paths, true);
  for (std::size_t row = 0; row < paths.size(); ++row) {
    SCOPED_TRACE(paths[row]);
    ASSERT_EQ(fast[row].error, "") << fast[row].message;
    expect_close(fast[row].embedding, whole[row].embedding);
    EXPECT_NE(fast[row].embedding, whole[row].embedding) << "nothing was decoded otherwise";
    EXPECT_EQ(fast[row].width, whole[row].width);
    EXPECT_EQ(fast[row].height, whole[row].height);
  }
  EXPECT_EQ(fast[7].width, 131u);
  EXPECT_EQ(fast[0].width, 203u);
}

TEST_F(FastDecodeTest, PicturesThatCannotProfitAreTheSameToTheBit) {
  const std::vector<std::string> paths{
      write("small.jpg", jpeg_bytes(quartered({31, 400}, 1))),  // 3.9 times a slot's side
      write("dot.jpg", jpeg_bytes(quartered({1, 1}, 2))),
      write_picture(directory.file("large.bmp"), 3, 700, 500),
  };
  const auto whole = piped(paths, false), fast = piped(paths, true);
  const auto rows = mapped(paths, picture_of_url("null", true));
  for (std::size_t row = 0; row < paths.size(); ++row) {
    EXPECT_EQ(fast[row].error, "");
    EXPECT_EQ(fast[row].embedding, whole[row].embedding);
    EXPECT_EQ(rows[row].vector, whole[row].embedding);
  }
}

TEST_F(FastDecodeTest, BothWaysAgreeToTheBit) {
  std::vector<std::string> paths;
  for (std::int64_t row = 0; row < 12; ++row)
    paths.push_back(write(std::to_string(row) + ".jpg",
                          jpeg_bytes(quartered({static_cast<std::uint32_t>(20 + 37 * row),
                                                static_cast<std::uint32_t>(300 - 19 * row)},
                                               row))));
  const auto fast = piped(paths, true);
  const auto rows = mapped(paths, picture_of_url("null", true));
  for (std::size_t row = 0; row < paths.size(); ++row)
    EXPECT_EQ(rows[row].vector, fast[row].embedding) << row;
}

// The size that the first resize wants counts, not the model's.
TEST_F(FastDecodeTest, AResizeDecidesWhereThereIsOne) {
  const std::vector<std::string> paths{write("a.jpg", jpeg_bytes(quartered({640, 480}, 4)))};
  for (const char* fit : {"fill", "contain", "cover", "inside"}) {
    for (const std::int64_t side : {std::int64_t{40}, std::int64_t{100}, std::int64_t{400}}) {
      SCOPED_TRACE(std::string(fit) + " " + std::to_string(side));
      const auto whole = mapped(paths, resized(picture_of_url("null"), side, fit));
      const auto fast = mapped(paths, resized(picture_of_url("null", true), side, fit));
      expect_close(fast[0].vector, whole[0].vector);
      EXPECT_EQ(fast[0].vector == whole[0].vector, side == 400) << "which is too large to profit";
    }
  }
  const Node luma = call("convert_image", picture_of_url("null", true),
                         {{"mode", std::string("L")}, {"alpha", std::string("drop")}});
  const Node whole_luma = call("convert_image", picture_of_url("null"),
                               {{"mode", std::string("L")}, {"alpha", std::string("drop")}});
  expect_close(mapped(paths, luma)[0].vector, mapped(paths, whole_luma)[0].vector);
  expect_close(mapped(paths, resized(luma, 50, "fill"))[0].vector,
               mapped(paths, resized(whole_luma, 50, "fill"))[0].vector);
}

TEST_F(FastDecodeTest, MemoryIsThatOfTheReducedPicture) {
  image::Image plain(Mode::kRGB, {3000, 2400});  // 20.6 MiB
  std::fill(plain.pixels().begin(), plain.pixels().end(), std::uint8_t{90});
  std::vector<std::string> paths;
  for (int i = 0; i < 6; ++i)
    paths.push_back(write(std::to_string(i) + ".jpg", jpeg_bytes(plain, 6)));  // turned whole
  PipelineOptions options = test_options(2, 2);
  options.deduplicate = false;
  options.memory_limit = 16 << 20;
  for (const KeptRow& row : piped(paths, false, options))
    EXPECT_EQ(row.error, "decode/over_budget");
  for (const KeptRow& row : piped(paths, true, options)) EXPECT_EQ(row.error, "") << row.message;
  context.memory_limit = 16 << 20;
  for (const OutputRow& row : mapped(paths, picture_of_url("null", false, true)))
    EXPECT_TRUE(row.error.starts_with("decode/over_budget")) << row.error;
  for (const OutputRow& row : mapped(paths, picture_of_url("null", true, true)))
    EXPECT_EQ(row.error, "");
}

TEST_F(FastDecodeTest, BadFilesFailAsTheyDoWhole) {
  const std::string good = jpeg_bytes(quartered({400, 300}, 1));
  std::vector<std::string> paths{write("empty.jpg", ""), write("text.jpg", "no picture")};
  for (const std::size_t length : {20u, 400u, 2000u, 10000u})
    paths.push_back(write(std::to_string(length) + ".jpg", good.substr(0, length)));
  PipelineOptions options = test_options();
  options.decode_limits.max_pixels = 400 * 300 - 1;
  paths.push_back(write("large.jpg", good));  // reduced it would be small enough
  const auto whole = piped(paths, false, options), fast = piped(paths, true, options);
  for (std::size_t row = 0; row < paths.size(); ++row) {
    EXPECT_NE(fast[row].error, "") << paths[row];
    EXPECT_EQ(fast[row].error, whole[row].error) << paths[row];
    EXPECT_EQ(fast[row].message, whole[row].message);
  }
  EXPECT_EQ(fast.back().error, "decode/too_many_pixels");
}

}  // namespace
}  // namespace vecframe::exec
