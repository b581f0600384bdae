// Shards that are handed out: specs, epochs, and runs whose worker or planner goes missing.

#include <vecframe/error.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "job/epoch.h"
#include "job/output_path.h"
#include "job/planned_job.h"
#include "parquet_rows.h"

namespace vecframe::job {
namespace {

using testing::HasSubstr;

std::map<std::string, std::vector<float>> vectors_of(const std::string& directory) {
  std::map<std::string, std::vector<float>> vectors;
  for (const std::string& name : names_in(directory)) {
    if (!is_part_name(name)) continue;
    for (const OutputRow& row : read_parquet(directory + "/" + name).rows)
      EXPECT_TRUE(vectors.emplace(row.path, row.embedding.value()).second) << row.path << " twice";
  }
  return vectors;
}

class SharedRunTest : public testing::Test {
 protected:
  void SetUp() override { paths_ = write_inputs(directory_.file("in"), 60); }
  EmbedJob job() const {
    EmbedJob result = colour_job({directory_.file("in")}, directory_.file("out"));
    result.writing.rows_per_part = 7;
    result.writing.mode = WriteMode::kResume;
    return result;
  }
  std::vector<ShardSpec> all_shards(PlannedJob& planned) {
    std::vector<ShardSpec> shards;
    while (auto spec = planned.next()) shards.push_back(std::move(*spec));
    return shards;
  }

  TemporaryDirectory directory_;
  std::vector<std::string> paths_;
};

TEST_F(SharedRunTest, WorkersCommitEachShardOnce) {
  EmbedJob whole = job();
  whole.output = directory_.file("whole");
  run(whole, tables(), {});
  const auto expected = vectors_of(whole.output);

  PlannedJob planned(job(), tables());
  const std::vector<ShardSpec> shards = all_shards(planned);
  ASSERT_EQ(shards.size(), 9u);
  std::vector<std::thread> threads;
  std::atomic<std::size_t> next{0};
  std::vector<std::string> reports(2 * shards.size());
  for (int worker = 0; worker < 3; ++worker)
    threads.emplace_back([&] {
      // Each shard is run by two workers.
      for (std::size_t i = next++; i < 2 * shards.size(); i = next++)
        reports[i] =
            run_shard(job(), parse_shard_spec(to_json(shards[i / 2])), tables(), {}).to_json();
    });
  for (std::thread& thread : threads) thread.join();
  reports.resize(shards.size());
  planned.finish(reports);
  EXPECT_EQ(vectors_of(job().output), expected);
  const auto manifest = nlohmann::json::parse(content_of(job().output + "/_manifest.json"));
  EXPECT_EQ(manifest["rows"], 60);
  EXPECT_EQ(manifest["complete"], true);
}

TEST_F(SharedRunTest, AWorkerOfARunThatIsOverCommitsNothing) {
  std::vector<ShardSpec> shards;
  {
    PlannedJob planned(job(), tables());
    shards = all_shards(planned);
    run_shard(job(), shards[0], tables(), {});
  }
  EXPECT_THROW(run_shard(job(), shards[1], tables(), {}), RunError);
  PlannedJob next(job(), tables());
  EXPECT_THROW(run_shard(job(), shards[1], tables(), {}), RunError) << "another run's token";
  std::vector<std::string> reports;
  while (auto spec = next.next()) {
    EXPECT_EQ(spec->num_rows(), spec->shard.id == 8 ? 4 : 7);
    reports.push_back(run_shard(job(), *spec, tables(), {}).to_json());
  }
  EXPECT_EQ(reports.size(), 8u) << "one shard was there";
  next.finish(reports);
  EXPECT_EQ(vectors_of(job().output).size(), 60u);
}

TEST_F(SharedRunTest, AChangedFileIsRewrittenByAWorker) {
  run(job(), tables(), {});
  exec::write_picture(paths_[10], 500, 24, 20);
  PlannedJob planned(job(), tables());
  const std::vector<ShardSpec> shards = all_shards(planned);
  ASSERT_EQ(shards.size(), 1u);
  EXPECT_EQ(shards[0].shard.id, 1);
  EXPECT_EQ(shards[0].num_rows(), 1);
  planned.finish({run_shard(job(), parse_shard_spec(to_json(shards[0])), tables(), {}).to_json()});
  const auto vectors = vectors_of(job().output);
  EXPECT_EQ(vectors.size(), 60u);
  EXPECT_EQ(vectors.at(paths_[10])[0], exec::colour_of(500)[0]);
}

TEST_F(SharedRunTest, FinishNamesPartsThatAreMissing) {
  PlannedJob planned(job(), tables());
  const auto shards = all_shards(planned);
  for (std::size_t i = 0; i < shards.size(); ++i)
    if (i != 4) run_shard(job(), shards[i], tables(), {});
  try {
    planned.finish({});
    FAIL() << "no exception";
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(), HasSubstr("part-00004.parquet"));
  }
}

TEST_F(SharedRunTest, AShardOfAnotherRecipeIsRefused) {
  PlannedJob planned(job(), tables());
  const auto spec = planned.next();
  EmbedJob other = job();
  other.pipeline.vector.normalize = true;
  EXPECT_THROW(run_shard(other, *spec, tables(), {}), RequestError);
}

TEST(ShardSpecTest, SurvivesJson) {
  ShardSpec spec;
  spec.shard.id = 12;
  spec.shard.rewrite = Shard::Rewrite{{1, 5}, {2}, true};
  spec.recipe = "r";
  spec.epoch = "e";
  spec.files = {{"plain.jpg", {1, 2, 4}}, {"caf\xe9.jpg", {5, 6, 8}}};
  const ShardSpec back = parse_shard_spec(to_json(spec));
  EXPECT_EQ(back.shard.id, 12);
  EXPECT_EQ(back.shard.rewrite->replaced, spec.shard.rewrite->replaced);
  EXPECT_EQ(back.shard.rewrite->dropped, spec.shard.rewrite->dropped);
  EXPECT_TRUE(back.shard.rewrite->nothing_kept);
  EXPECT_EQ(back.files, spec.files);
  for (const char* wrong : {"", "{}", "[]", R"({"id":"x","recipe":"","epoch":""})",
                            R"({"id":1,"recipe":"","epoch":"","files":[["a","zz"]]})"})
    EXPECT_THROW(parse_shard_spec(wrong), RequestError) << wrong;
}

TEST(EpochTest, ATokenStandsUntilTheNext) {
  TemporaryDirectory directory;
  EXPECT_THROW(EpochGuard(directory.path(), "x"), RunError);
  const std::string first = begin_epoch(directory.path());
  { const EpochGuard guard(directory.path(), first); }
  const std::string second = begin_epoch(directory.path());
  EXPECT_NE(first, second);
  EXPECT_THROW(EpochGuard(directory.path(), first), RunError);
  { const EpochGuard guard(directory.path(), second); }
  end_epoch(directory.path());
  EXPECT_THROW(EpochGuard(directory.path(), second), RunError);
  end_epoch(directory.path());
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

}  // namespace
}  // namespace vecframe::job
