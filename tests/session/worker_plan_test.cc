// Plans as workers of a run get them, and plans over one table after another.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/vecframe.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vecframe {
namespace {

using testing::HasSubstr;

// Vectors of the length of a text; its rules are those of the test.
class Lengths final : public TextDescriptor {
 public:
  explicit Lengths(CallRules rules) : rules_(rules) {}
  const EmbedderIdentity& identity() const override { return identity_; }
  const CallRules& rules() const override { return rules_; }
  AnyEmbedder<std::string_view> instantiate(const StopSource& /*stop*/) const override {
    ++made;
    return std::make_unique<Embedder>();
  }
  mutable int made = 0;

 private:
  struct Embedder final : SyncEmbedder<std::string_view> {
    std::vector<RowVector> embed(std::span<const std::string_view> rows) override {
      std::vector<RowVector> vectors;
      for (const std::string_view row : rows)
        vectors.push_back({{static_cast<float>(row.size()), 1}, {}});
      return vectors;
    }
  };
  const EmbedderIdentity identity_{"lengths", "v1", 2, {}, {}};
  const CallRules rules_;
};

DataFrame texts(const std::vector<std::string>& rows) {
  static int files = 0;
  const std::string path =
      testing::TempDir() + "/worker_plan_test_" + std::to_string(++files) + ".txt";
  FILE* file = std::fopen(path.c_str(), "w");
  for (const std::string& row : rows) std::fprintf(file, "%s\n", row.c_str());
  std::fclose(file);
  return read_texts(path).collect();
}

DataFrame embedded(const DataFrame& frame, std::shared_ptr<const TextDescriptor> descriptor,
                   std::optional<std::int64_t> concurrency = {}) {
  EmbedTextOptions options;
  options.descriptor = std::move(descriptor);
  options.concurrency = concurrency;
  options.on_cluster = true;
  return frame.with_column("e", embed_text(col("text"), options));
}

std::string shown(const DataFrame& frame) { return frame.show(100); }

TEST(WorkerPlan, SaysWhatAnEmbeddingNeeds) {
  const auto descriptor =
      std::make_shared<const Lengths>(CallRules{.concurrency = 3, .num_gpus = 0.5});
  const std::vector<EmbedderUse> uses = embedders_of(embedded(texts({"a"}), descriptor));
  ASSERT_EQ(uses.size(), 1u);
  EXPECT_EQ(uses[0].provider, "lengths");
  EXPECT_FALSE(uses[0].is_local);
  EXPECT_TRUE(uses[0].of_texts);
  EXPECT_EQ(uses[0].concurrency, 3);
  EXPECT_EQ(uses[0].num_gpus, 0.5) << "of a cluster, so not compared with this machine";
  EXPECT_EQ(uses[0].texts, descriptor);
  EXPECT_EQ(embedders_of(embedded(texts({"a"}), descriptor, 7))[0].concurrency, 7);
  EXPECT_TRUE(embedders_of(texts({"a"})).empty());
}

TEST(WorkerPlan, ComesBackFromItsTextWithTheEmbeddersThatCameAlong) {
  const auto descriptor = std::make_shared<const Lengths>(CallRules{.concurrency = 3});
  const DataFrame frame = embedded(texts({"a", "bcd"}), descriptor);
  const std::vector<EmbedderUse> uses = embedders_of(frame);
  const DataFrame back = DataFrame::from_json(frame.to_json());
  EXPECT_THROW(shown(back), RequestError) << "nobody has a provider of that name";
  const DataFrame worker = for_worker(back, uses);
  EXPECT_EQ(shown(worker), shown(frame));
  EXPECT_EQ(descriptor->made, 4) << "three side by side here, one in a worker";
}

TEST(WorkerPlan, OfAnotherPlanIsRefused) {
  const auto descriptor = std::make_shared<const Lengths>(CallRules{});
  const DataFrame frame = embedded(texts({"a"}), descriptor);
  std::vector<EmbedderUse> uses = embedders_of(frame);
  EXPECT_THROW(for_worker(texts({"a"}), uses), RequestError);
  EXPECT_THROW(for_worker(frame, {}), RequestError);
  uses[0].model = "v2";
  EXPECT_THROW(for_worker(frame, uses), RequestError);
}

TEST(TableRunner, RunsOnePlanOverManyTables) {
  const auto descriptor = std::make_shared<const Lengths>(CallRules{});
  TableRunner runner(embedded(texts({}), descriptor));
  for (const std::vector<std::string>& rows :
       std::vector<std::vector<std::string>>{{"a", "bb"}, {}, {"ccc"}}) {
    ArrowArrayStream table, out;
    texts(rows).to_arrow(&table);
    runner.run(&table, &out);
    EXPECT_EQ(shown(from_arrow(&out)), shown(embedded(texts(rows), descriptor)));
  }
  ArrowArrayStream other, out;
  texts({"a"}).rename({{"text", "line"}}).to_arrow(&other);
  try {
    runner.run(&other, &out);
    FAIL() << "other columns";
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("its columns"));
  }
  EXPECT_THROW(TableRunner(from_glob_path({"*"})), RequestError);
}

}  // namespace
}  // namespace vecframe
