#include <vecframe/error.h>

#include "job/embed_job.h"
#include "job_run.h"

namespace vecframe::job {
namespace {

TEST(CollectTest, ReturnsTheRows) {
  TemporaryDirectory directory;
  const std::vector<std::int64_t> bad{0, 7, 1199};
  const auto paths = write_inputs(directory.file("in"), 1200, bad);
  EmbedJob job = colour_job({directory.file("in")}, "");
  job.pipeline.memory_limit = 6 << 20;
  const Collected collected = collect(job, {});
  EXPECT_GT(collected.batches.size(), 1u);
  std::vector<OutputRow> rows;
  for (const columnar::Batch& batch : collected.batches) append_rows(batch.array(), rows);
  ASSERT_EQ(rows.size(), 1200u);
  expect_rows(rows, paths, bad);
  EXPECT_EQ(collected.report.statistics.failed, 3);
  EXPECT_EQ(collected.report.embedder.model, "colours");
}

TEST(CollectTest, WithoutAModelLooksAtHeaders) {
  TemporaryDirectory directory;
  const auto paths = write_inputs(directory.file("in"), 6);
  EmbedJob job = colour_job({directory.file("in")}, "");
  job.descriptor = nullptr;
  EXPECT_THROW(collect(job, {}), RequestError);  // an embedding column of what?
  using Source = OutputColumn::Source;
  job.columns = {{Source::kPath, "p"}, {Source::kHeight, "h"}};
  const Collected collected = collect(job, {});
  ASSERT_EQ(collected.batches.size(), 1u);
  const ArrowArray& array = collected.batches[0].array();
  ASSERT_EQ(array.n_children, 2);
  for (std::int64_t row = 0; row < 6; ++row) {
    EXPECT_EQ(columnar::string_at(*array.children[0], row), paths[static_cast<std::size_t>(row)]);
    EXPECT_EQ(columnar::uint32_at(*array.children[1], row), 18u);
  }
}

TEST(OutputSchemaTest, HasTheNamedColumnsAndTheModel) {
  const auto schema = output_schema(colour_job({}, ""));
  ASSERT_EQ(schema->fields.size(), 5u);  // height has no name
  EXPECT_EQ(schema->fields[0].name, "path");
  EXPECT_FALSE(schema->fields[0].nullable);
  EXPECT_EQ(schema->fields[1].type.to_string(), "Embedding[Float32; 12]");
  EXPECT_TRUE(schema->fields[1].nullable);
  EXPECT_EQ(schema->fields[3].type.to_string(), "UInt32");
  for (const auto& [key, value] : schema->metadata) {
    EXPECT_TRUE(key.starts_with("vecframe.")) << key;
    EXPECT_NE(value, "") << key;
  }
}

}  // namespace
}  // namespace vecframe::job
