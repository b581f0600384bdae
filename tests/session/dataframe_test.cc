// The public interface as a program has it: plans, texts, streams.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/vecframe.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "source_directory.h"

namespace vecframe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// One text a line: "0", "1", ... as rows in memory.
DataFrame numbers(int count) {
  static int files = 0;
  const std::string path =
      testing::TempDir() + "/dataframe_test_" + std::to_string(++files) + ".txt";
  FILE* file = std::fopen(path.c_str(), "w");
  for (int i = 0; i < count; ++i) std::fprintf(file, "%d\n", i);
  std::fclose(file);
  return read_texts(path).with_column("n", call("int64", {col("text")})).collect();
}

struct Rows {
  std::vector<std::int64_t> lengths;
  std::vector<std::int64_t> values;  // of the first column, an int64
};

Rows take_all(RowStream stream) {
  Rows rows;
  ArrowArray array;
  while (stream.next(&array)) {
    rows.lengths.push_back(array.length);
    const ArrowArray& column = *array.children[0];
    const auto* values = static_cast<const std::int64_t*>(column.buffers[1]);
    for (std::int64_t i = 0; i < array.length; ++i)
      rows.values.push_back(values[array.offset + column.offset + i]);
    array.release(&array);
  }
  return rows;
}

TEST(DataFrame, StreamsInMorselsOfTheSizeAskedFor) {
  const DataFrame frame = numbers(10).select({"n"});
  RunOptions options;
  options.morsel_rows = 4;
  const Rows rows = take_all(frame.stream(options));
  EXPECT_THAT(rows.lengths, ElementsAre(4, 4, 2));
  EXPECT_THAT(rows.values, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  options.morsel_rows = -1;
  EXPECT_THROW(frame.stream(options), RequestError);
}

TEST(DataFrame, AStreamThatIsClosedGivesNoMore) {
  RunOptions options;
  options.morsel_rows = 1;
  RowStream stream = numbers(10).stream(options);
  ArrowArray array;
  ASSERT_TRUE(stream.next(&array));
  array.release(&array);
  stream.close();
  EXPECT_FALSE(stream.next(&array));
  // A job over files runs on a thread of its own, which ends with the stream.
  const std::string pictures = std::string(VECFRAME_SOURCE_DIR) + "/tests/golden";
  RowStream files = read_texts(pictures + "/hashes.json").stream(options);
  ASSERT_TRUE(files.next(&array));
  array.release(&array);
}

TEST(DataFrame, AnErrorEndsAStreamOnce) {
  // "9" is followed by a row that is no number.
  const DataFrame frame = numbers(10).select(
      {{"x", call("divide",
                  {lit(std::int64_t{1}), call("subtract", {col("n"), lit(std::int64_t{9})})})}});
  RunOptions options;
  options.morsel_rows = 5;
  RowStream stream = frame.stream(options);
  ArrowArray array;
  ASSERT_TRUE(stream.next(&array));
  array.release(&array);
  EXPECT_THROW(stream.next(&array), RunError);
  EXPECT_FALSE(stream.next(&array));

  ArrowArrayStream exported{};
  frame.stream(&exported, options);
  ASSERT_EQ(exported.get_next(&exported, &array), 0);
  array.release(&array);
  EXPECT_NE(exported.get_next(&exported, &array), 0);
  EXPECT_THAT(exported.get_last_error(&exported), HasSubstr("divide"));
  exported.release(&exported);
}

TEST(DataFrame, StopsWhenItIsAskedTo) {
  RunOptions options;
  options.stop = StopSource();
  options.stop->request();
  RowStream stream = numbers(3).stream(options);
  ArrowArray array;
  EXPECT_THROW(stream.next(&array), Cancelled);
}

TEST(DataFrame, ComesBackFromItsText) {
  const DataFrame frame = numbers(10).where(col("n") > lit(std::int64_t{6})).select({"n"});
  const DataFrame back = DataFrame::from_json(frame.to_json());
  EXPECT_EQ(back.explain(), frame.explain());
  EXPECT_THAT(take_all(back.stream()).values, ElementsAre(7, 8, 9));
  EXPECT_THROW(DataFrame::from_json("{}"), RequestError);
  const Expression expression = (col("n") == lit(1.5)).alias("x");
  const Expression read = Expression::from_json(expression.to_json());
  EXPECT_EQ(read.to_string(), expression.to_string());
  EXPECT_EQ(read.name(), "x");
}

TEST(DataFrame, ExplainsHowItRuns) {
  const DataFrame frame = numbers(3).where(lit(true)).limit(2).select({"n"});
  ExplainOptions options;
  options.show_all = true;
  EXPECT_THAT(frame.explain(options),
              testing::AllOf(HasSubstr("== Logical plan =="), HasSubstr("Where: True"),
                             HasSubstr("1 of 2 columns: n"), HasSubstr("== Physical plan: steps")));
  options.format = ExplainOptions::Format::kJson;
  EXPECT_THAT(frame.explain(options), HasSubstr("\"kind\": \"steps\""));
}

TEST(DataFrame, TheOptimiserDoesNotChangeTheResult) {
  const DataFrame frame = numbers(30)
                              .with_column("m", call("add", {col("n"), lit(std::int64_t{1})}))
                              .where(col("n") > lit(std::int64_t{4}))
                              .limit(3)
                              .select({"m"});
  RunOptions options;
  const std::vector<std::int64_t> optimized = take_all(frame.stream(options)).values;
  options.optimize = false;
  EXPECT_EQ(take_all(frame.stream(options)).values, optimized);
  EXPECT_THAT(optimized, ElementsAre(6, 7, 8));
}

TEST(Functions, OfVectorsTakeColumnsAndLiterals) {
  const std::vector<double> query{1, 0};
  EXPECT_EQ(cosine_similarity(col("e"), lit(query)).to_string(),
            "cosine_similarity(col(\"e\"), [1.0, 0.0])");
  EXPECT_THROW(numbers(1).select({{"d", dot_product(col("n"), lit(query))}}), RequestError);
  std::vector<std::string> names;
  for (const FunctionInfo& function : list_functions()) names.push_back(function.name);
  EXPECT_THAT(names, testing::IsSupersetOf({"resize", "hamming_distance"}));
}

}  // namespace
}  // namespace vecframe
