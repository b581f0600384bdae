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
  for (std::size_t i = 0; i < shards.size(); ++i) planned.add(reports[2 * i]);
  const auto report = nlohmann::json::parse(planned.finish(R"({"seconds":2.0,"workers":3})"));
  EXPECT_EQ(report["rows"], 60);
  EXPECT_EQ(report["images_per_second"], 30.0) << "facts of the whole are not sums";
  EXPECT_EQ(report["workers"], 3);
  EXPECT_EQ(report["total"]["rows"], 60);
  EXPECT_EQ(report, nlohmann::json::parse(content_of(job().output + "/_report.json")));
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
  for (const std::string& report : reports) next.add(report);
  next.finish();
  EXPECT_EQ(vectors_of(job().output).size(), 60u);
}

TEST_F(SharedRunTest, WhatWorkersThatDiedLeftGoesInTheEnd) {
  PlannedJob planned(job(), tables());
  exec::write_bytes(job().output + "/.part-00003.parquet.99-1.tmp", "half");
  while (auto spec = planned.next()) planned.add(run_shard(job(), *spec, tables(), {}).to_json());
  planned.finish();
  for (const std::string& name : names_in(job().output)) EXPECT_FALSE(name.ends_with(".tmp"));
}

TEST_F(SharedRunTest, WithNothingLeftToDoNothingIsTouched) {
  run(job(), tables(), {});
  const std::string report = content_of(job().output + "/_report.json");
  const std::string manifest = job().output + "/_manifest.json";
  const auto before = std::filesystem::last_write_time(manifest);
  PlannedJob planned(job(), tables());
  EXPECT_FALSE(planned.next());
  EXPECT_EQ(nlohmann::json::parse(planned.finish())["rows"], 0);
  EXPECT_EQ(std::filesystem::last_write_time(manifest), before);
  EXPECT_EQ(content_of(job().output + "/_report.json"), report);
}

TEST_F(SharedRunTest, FailuresOfShardsBecomeDeadLetters) {
  for (const int row : {3, 30})
    exec::write_bytes(paths_[static_cast<std::size_t>(row)], "no picture");
  EmbedJob with_letters = job();
  with_letters.pipeline.on_error = exec::OnError::kIgnore;
  with_letters.dead_letter = directory_.file("dead.jsonl");
  {
    PlannedJob planned(with_letters, tables());
    while (auto spec = planned.next()) {
      const Report report = run_shard(with_letters, *spec, tables(), {});
      EXPECT_FALSE(std::filesystem::exists(with_letters.dead_letter)) << "only the planner writes";
      planned.add(report.to_json(), report.failed_inputs);
    }
    planned.finish();
  }
  const std::string letters = content_of(with_letters.dead_letter);
  EXPECT_EQ(std::count(letters.begin(), letters.end(), '\n'), 2);
  EXPECT_THAT(letters, HasSubstr(paths_[3]));
  EXPECT_THAT(letters, HasSubstr(R"("stage":"decode","code":"unknown_format")"));
}

TEST_F(SharedRunTest, AChangedFileIsRewrittenByAWorker) {
  run(job(), tables(), {});
  exec::write_picture(paths_[10], 500, 24, 20);
  PlannedJob planned(job(), tables());
  const std::vector<ShardSpec> shards = all_shards(planned);
  ASSERT_EQ(shards.size(), 1u);
  EXPECT_EQ(shards[0].shard.id, 1);
  EXPECT_EQ(shards[0].num_rows(), 1);
  planned.add(run_shard(job(), parse_shard_spec(to_json(shards[0])), tables(), {}).to_json());
  planned.finish();
  const auto vectors = vectors_of(job().output);
  EXPECT_EQ(vectors.size(), 60u);
  EXPECT_EQ(vectors.at(paths_[10])[0], exec::colour_of(500)[0]);
}

TEST_F(SharedRunTest, AShardThatDropsRowsMayBeRunTwice) {
  run(job(), tables(), {});
  exec::write_picture(paths_[12], 500, 24, 20);
  for (const int row : {8, 13}) std::filesystem::remove(paths_[static_cast<std::size_t>(row)]);
  EmbedJob pruning = job();
  pruning.writing.prune = true;
  {
    PlannedJob planned(pruning, tables());
    const std::vector<ShardSpec> shards = all_shards(planned);
    ASSERT_EQ(shards.size(), 1u);
    const ShardSpec spec = parse_shard_spec(to_json(shards[0]));
    run_shard(pruning, spec, tables(), {});  // by a worker that did not live to say so
    planned.add(run_shard(pruning, spec, tables(), {}).to_json());
    planned.finish();
  }
  const auto vectors = vectors_of(job().output);
  EXPECT_EQ(vectors.size(), 58u);
  EXPECT_EQ(vectors.at(paths_[12])[0], exec::colour_of(500)[0]);
  EXPECT_EQ(vectors.at(paths_[11])[0], exec::colour_of(11)[0]);
  EXPECT_FALSE(vectors.contains(paths_[8]));
  EXPECT_FALSE(PlannedJob(pruning, tables()).next()) << "keys are those of the rows";
}

TEST_F(SharedRunTest, FinishNamesPartsThatAreMissing) {
  PlannedJob planned(job(), tables());
  const auto shards = all_shards(planned);
  for (std::size_t i = 0; i < shards.size(); ++i)
    if (i != 4) run_shard(job(), shards[i], tables(), {});
  try {
    planned.finish();
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
  spec.shard.rewrite = Shard::Rewrite{{1, 5}, {2}, true, 9};
  spec.recipe = "r";
  spec.epoch = "e";
  spec.files = {{"plain.jpg", {1, 2, 4}}, {"caf\xe9.jpg", {5, 6, 8}}};
  const ShardSpec back = parse_shard_spec(to_json(spec));
  EXPECT_EQ(back.shard.id, 12);
  EXPECT_EQ(back.shard.rewrite->replaced, spec.shard.rewrite->replaced);
  EXPECT_EQ(back.shard.rewrite->dropped, spec.shard.rewrite->dropped);
  EXPECT_TRUE(back.shard.rewrite->nothing_kept);
  EXPECT_EQ(back.shard.rewrite->num_rows, 9);
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
