#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "columnar/array_view.h"
#include "embed_rows_run.h"
#include "parallel_map_run.h"
#include "pipeline_run.h"

namespace vecframe::exec {
namespace {

// Pictures of which few fit at a time, and batches that are larger than that.
struct Pictures final : PictureDescriptor {
  struct Embedder final : SyncEmbedder<Picture> {
    explicit Embedder(std::atomic<std::size_t>& seen) : largest(seen) {}
    std::vector<RowVector> embed(std::span<const Picture> pictures) override {
      std::vector<RowVector> vectors;
      std::size_t bytes = 0;
      for (const Picture& picture : pictures) {
        bytes += picture.pixels.size();
        vectors.push_back(
            {{static_cast<float>(picture.width), static_cast<float>(picture.pixels[0])}, {}});
      }
      largest = std::max(largest.load(), bytes);
      return vectors;
    }
    std::atomic<std::size_t>& largest;
  };
  Pictures() {
    facts.provider = "pictures";
    facts.dimension = 2;
    call_rules.batch_size = 64;
  }
  const EmbedderIdentity& identity() const override { return facts; }
  const CallRules& rules() const override { return call_rules; }
  AnyEmbedder<Picture> instantiate(const StopSource&) const override {
    return std::make_unique<Embedder>(largest);
  }
  EmbedderIdentity facts;
  CallRules call_rules;
  mutable std::atomic<std::size_t> largest{0};
};

// How rows come to the embedder in the test below.
struct Way {
  Stages stages = {};
  std::int64_t max_connections = 4;
  bool ordered = true;
};

class EmbedPicturesTest : public testing::TestWithParam<Way> {};

// Preparers that wait for memory, or for those that do, are seen to starve whatever they wait at.
TEST_P(EmbedPicturesTest, ShareTheBudgetAndBatchesLeaveShortWhenItIsFull) {
  TemporaryDirectory directory;
  std::vector<std::string> paths;
  for (std::int64_t row = 0; row < 40; ++row)
    paths.push_back(write_picture(directory.file(std::to_string(row) + ".bmp"), row, 500, 400));
  paths.push_back(directory.file("nowhere.bmp"));
  plan::EmbedCall embed = text_call(vecframe::OnError::kIgnore);
  embed.function = plan::EmbedFunction::kImage;
  embed.argument = call(
      "decode_image",
      call("download", embed.argument,
           {{"max_connections", GetParam().max_connections}, {"on_error", std::string("defer")}}),
      {{"on_error", std::string("defer")},
       {"mode", std::string("RGB")},
       {"apply_orientation", false},
       {"fast_decode", false}});
  const auto pictures = std::make_shared<Pictures>();
  CancellationToken cancellation;
  StepContext context{
      .threads = 4,
      .memory_limit = 8 << 20,
      .cancellation = cancellation,
      .fetch = fetch_file,
      .row_descriptor = [&](const plan::EmbedCall&) -> RowDescriptor { return pictures; },
      .stages = GetParam().stages};
  const columnar::Schema schema{{{"text", {TypeKind::kString}}}, {}};
  const auto rows =
      make_embed_rows(source_of(paths, 9), schema, column_of(embed), context, GetParam().ordered);
  std::set<std::string> embedded;
  std::int64_t seen = 0;
  while (const std::optional<Morsel> morsel = rows->next()) {
    for (std::int64_t row = 0; row < morsel->num_rows; ++row, ++seen)
      if (columnar::is_valid(*morsel->columns[1], row))
        embedded.insert(std::string(columnar::string_at(*morsel->columns[0], row)));
  }
  EXPECT_EQ(seen, 41);
  EXPECT_EQ(embedded.size(), 40u);
  EXPECT_FALSE(embedded.contains(paths.back()));
  EXPECT_LE(pictures->largest, std::size_t{8} << 20);
  EXPECT_GT(pictures->largest, 0u);
  EXPECT_LE(context.counters->peak_bytes, context.memory_limit);
  EXPECT_EQ(context.counters->rows_embedded, 40);
}

INSTANTIATE_TEST_SUITE_P(Ways, EmbedPicturesTest,
                         testing::Values(Way{}, Way{.ordered = false}, Way{.max_connections = 1},
                                         Way{.stages = {1, {}, {}}}, Way{.stages = {3, 1, 2}},
                                         Way{.stages = {6, 2, 1}, .ordered = false}));

}  // namespace
}  // namespace vecframe::exec
