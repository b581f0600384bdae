#include "job/text_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "picture_files.h"

namespace vecframe::job {
namespace {

using exec::TemporaryDirectory;
using testing::ElementsAre;
using testing::Pair;

struct Planned {
  std::vector<std::pair<std::int64_t, std::string>> rows;  // shard, text
  std::vector<TextRange> ranges;
  std::vector<bool> ends;
};

Planned plan(const std::string& path, const TextPlannerOptions& options) {
  const Inventory nothing;
  PlannedRows planned_rows;
  TextPlanner planner(path, options, nothing, planned_rows);
  Planned planned;
  std::shared_ptr<const Shard> last;
  storage::TextRow row;
  while (planner.next(row, std::chrono::seconds(1)) != storage::TextSource::Outcome::kEnd) {
    const PlannedRows::Facts facts = planned_rows.take_oldest();
    planned.rows.emplace_back(facts.shard->id, row.text);
    planned.ends.push_back(facts.ends_shard);
    if (last && last != facts.shard) planned.ranges.push_back(*last->texts);
    last = facts.shard;
  }
  if (last) planned.ranges.push_back(*last->texts);
  return planned;
}

TEST(TextPlannerTest, BlocksAreRangesOfBytesAtLineStarts) {
  TemporaryDirectory directory;
  const std::string path = directory.file("t.txt");
  exec::write_bytes(path, "one\ntwo\r\nthree\n\nfive");
  TextPlannerOptions options;
  options.rows_per_part = 2;
  const Planned planned = plan(path, options);
  EXPECT_THAT(planned.rows, ElementsAre(Pair(0, "one"), Pair(0, "two"), Pair(1, "three"),
                                        Pair(1, ""), Pair(2, "five")));
  EXPECT_THAT(planned.ends, ElementsAre(false, true, false, true, false));
  ASSERT_EQ(planned.ranges.size(), 3u);
  EXPECT_EQ(planned.ranges[0].end, 9);
  EXPECT_EQ(planned.ranges[1].begin, 9);
  EXPECT_EQ(planned.ranges[1].end, 16);
  EXPECT_EQ(planned.ranges[1].first_line, 2);
  EXPECT_EQ(planned.ranges[2].end, 20);
  EXPECT_NE(planned.ranges[0].content, planned.ranges[1].content);
}

TEST(TextPlannerTest, SharesTakeBlocksInTurn) {
  TemporaryDirectory directory;
  const std::string path = directory.file("t.txt");
  exec::write_bytes(path, "a\nb\nc\nd\ne\nf\n");
  TextPlannerOptions options;
  options.rows_per_part = 2;
  options.share = {1, 2};
  EXPECT_THAT(plan(path, options).rows, ElementsAre(Pair(1, "c"), Pair(1, "d")));
  options.share = {0, 2};
  options.limit = 5;
  EXPECT_THAT(plan(path, options).rows, ElementsAre(Pair(0, "a"), Pair(0, "b"), Pair(2, "e")));
}

}  // namespace
}  // namespace vecframe::job
