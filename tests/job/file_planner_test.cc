#include "job/file_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "picture_files.h"

namespace vecframe::job {
namespace {

using exec::TemporaryDirectory;
using testing::ElementsAre;

// Names that nobody holds: what a listing of that many files gives.
class Names final : public storage::Listing {
 public:
  explicit Names(std::int64_t count) : count_(count) {}
  std::optional<std::string> next() override {
    if (next_ == count_) return std::nullopt;
    const std::int64_t row = next_++;
    return "/data/photos/2024/" + std::to_string(row / 1000) + "/IMG_" + std::to_string(row) +
           ".jpeg";
  }

 private:
  const std::int64_t count_;
  std::int64_t next_ = 0;
};

KeyedFile key_file(const std::string& path) { return {key_of(path, {1000, 5}), 1000}; }

// A sanitizer keeps shadows of all memory, and is slow.
constexpr bool kMeasurable =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    false;
#else
    true;
#endif
constexpr std::int64_t kMany = kMeasurable ? 1'000'000 : 50'000;

std::int64_t memory_of_process(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kilobytes = 0;
    if (word == field + ":" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

using Shards = std::map<std::int64_t, std::vector<std::string>>;

Shards plan(std::int64_t count, PlannerOptions options) {
  TemporaryDirectory scratch;
  options.scratch = scratch.path();
  Names names(count);
  const Inventory nothing;
  FilePlanner planner(names, key_file, options, nothing, nullptr);
  Shards shards;
  while (auto row = planner.next()) shards[row->shard->id].push_back(row->path);
  return shards;
}

std::vector<std::string> all_names(std::int64_t count) {
  Names names(count);
  std::vector<std::string> all;
  while (auto name = names.next()) all.push_back(*name);
  return all;
}

TEST(FilePlannerTest, CutsRunsByRowsOrBytes) {
  PlannerOptions options;
  options.rows_per_part = 10;
  Shards shards = plan(25, options);
  ASSERT_EQ(shards.size(), 3u);
  EXPECT_EQ(shards[0].size(), 10u);
  EXPECT_EQ(shards[2].size(), 5u);
  std::vector<std::string> joined;
  for (const auto& [id, paths] : shards) joined.insert(joined.end(), paths.begin(), paths.end());
  EXPECT_EQ(joined, all_names(25));

  options.bytes_per_part = 3500;  // reached by the fourth file of 1000
  shards = plan(25, options);
  EXPECT_EQ(shards.size(), 7u);
  EXPECT_EQ(shards[0].size(), 4u);

  options.limit = 6;
  EXPECT_EQ(plan(25, options).size(), 2u);
}

TEST(FilePlannerTest, SharesAreDisjointAndTogetherAll) {
  PlannerOptions options;
  options.rows_per_part = 10;
  std::set<std::int64_t> ids;
  std::multiset<std::string> paths;
  for (std::int64_t share = 0; share < 4; ++share) {
    options.share = {share, 4};
    for (const auto& [id, rows] : plan(1000, options)) {
      EXPECT_EQ(id % 4, share);
      EXPECT_TRUE(ids.insert(id).second);
      EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end(), [&](const auto& a, const auto& b) {
        return std::stoll(a.substr(a.rfind('_') + 1)) < std::stoll(b.substr(b.rfind('_') + 1));
      }));
      paths.insert(rows.begin(), rows.end());
    }
  }
  const auto all = all_names(1000);
  EXPECT_EQ(paths, std::multiset<std::string>(all.begin(), all.end()));
}

TEST(FilePlannerTest, AMillionNamesStream) {
  TemporaryDirectory scratch;
  PlannerOptions options;
  options.scratch = scratch.path();
  Names names(kMany);
  const Inventory nothing;
  KeyIndex index(scratch.path());  // of as many rows that are none of these
  for (std::int64_t row = 0; row < kMany; ++row)
    index.add(key_of("/elsewhere/" + std::to_string(row), {1, 1}), {0, 0});
  index.finish();
  FilePlanner planner(names, key_file, options, nothing, &index);
  const std::int64_t before = memory_of_process("VmRSS");
  std::int64_t rows = 0, largest = 0, last_id = -1;
  while (auto row = planner.next()) {
    ++rows;
    EXPECT_LE(last_id, row->shard->id);
    last_id = row->shard->id;
    if (rows % 10000 == 0) largest = std::max(largest, memory_of_process("VmRSS"));
  }
  EXPECT_EQ(rows, kMany);
  EXPECT_EQ(last_id, (kMany - 1) / 8192);
  if (!kMeasurable) return;
  EXPECT_LE(largest - before, std::int64_t{4} << 20);
}

}  // namespace
}  // namespace vecframe::job
