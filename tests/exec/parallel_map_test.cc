#include "exec/parallel_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "columnar/array_view.h"
#include "columnar/batch.h"
#include "exec/sources.h"
#include "pipeline_run.h"
#include "storage/local_file.h"

namespace vecframe::exec {
namespace {

using columnar::Morsel;
using columnar::TypeKind;
using testing::HasSubstr;
using Node = std::shared_ptr<const plan::ExpressionNode>;

const columnar::DataType kVectors{TypeKind::kEmbedding, kColourDimension};

Node call(const std::string& name, Node argument,
          std::map<std::string, columnar::Literal> options) {
  return std::make_shared<plan::ExpressionNode>(
      plan::ExpressionNode{plan::FunctionCall{name, {std::move(argument)}, std::move(options)}});
}

Node picture_of_url(const std::string& on_error) {
  const auto url =
      std::make_shared<plan::ExpressionNode>(plan::ExpressionNode{plan::ColumnReference{"url"}});
  return call("decode_image",
              call("download", url, {{"max_connections", std::int64_t{4}}, {"on_error", on_error}}),
              {{"on_error", on_error}, {"mode", std::string("RGB")}, {"apply_orientation", false}});
}

plan::MapStep embedding(const std::string& on_error, vecframe::OnError embed_on_error,
                        std::optional<std::int64_t> batch_size = {}) {
  plan::EmbedCall embed;
  embed.argument = picture_of_url(on_error);
  embed.dimension = kColourDimension;
  embed.on_error = embed_on_error;
  embed.error_column = "error";
  embed.batch_size = batch_size;
  return {{{"e", std::make_shared<plan::ExpressionNode>(plan::ExpressionNode{embed}), kVectors}}};
}

Result<std::vector<std::byte>> fetch(const std::string& path, const Reserve& reserve) {
  const Result<std::int64_t> size = storage::file_size(path);
  if (!size) return size.error();
  if (!reserve(*size)) return RowError{Stage::kRead, ErrorCode::kIoError, "stopped"};
  return storage::read_file(path, *size);
}

columnar::Schema url_schema() { return {{{"url", {TypeKind::kString}}}, {}}; }

std::unique_ptr<Operator> source_of(const std::vector<std::string>& urls,
                                    std::size_t morsel_rows = 7) {
  auto morsels = std::make_shared<std::vector<Morsel>>();
  for (std::size_t first = 0; first < urls.size(); first += morsel_rows) {
    columnar::ColumnBuilder column({TypeKind::kString});
    const std::size_t end = std::min(urls.size(), first + morsel_rows);
    for (std::size_t i = first; i < end; ++i)
      urls[i].empty() ? column.append_null() : column.append(std::string_view(urls[i]));
    ArrowArray array;
    column.finish(&array);
    morsels->push_back({{columnar::share(array)}, static_cast<std::int64_t>(end - first)});
  }
  return open_memory(std::move(morsels), {0});
}

struct ParallelMapTest : testing::Test {
  TemporaryDirectory directory;
  CancellationToken cancellation;
  Statistics statistics;
  std::vector<std::string> logged;
  ColourEmbedder::Hook hook;
  StepContext context{.threads = 3,
                      .memory_limit = 32 << 20,
                      .decode = {},
                      .cancellation = cancellation,
                      .fetch = fetch,
                      .relational = {},
                      .image_stage = [this](const plan::EmbedCall&) { return colour_stage(hook); },
                      .text_stage = {},
                      .open_source = {},
                      .on_failure =
                          [this](const std::string& row, const RowError& error) {
                            logged.push_back(row + ": " + error.to_string());
                          },
                      .statistics = &statistics};

  struct OutputRow {
    std::vector<float> vector;
    std::string error;
  };

  std::vector<OutputRow> run(const std::vector<std::string>& urls, const plan::MapStep& step) {
    const auto map = make_parallel_map(source_of(urls), url_schema(), step, context);
    std::vector<OutputRow> rows;
    std::size_t seen = 0;
    while (const std::optional<Morsel> morsel = map->next()) {
      for (std::int64_t row = 0; row < morsel->num_rows; ++row) {
        // The input's own columns stay beside those that are made.
        const std::string& url = urls[seen++];
        EXPECT_EQ(columnar::is_valid(*morsel->columns[0], row), !url.empty());
        if (!url.empty()) {
          EXPECT_EQ(columnar::string_at(*morsel->columns[0], row), url);
        }
        OutputRow output;
        std::vector<float> scratch;
        if (columnar::is_valid(*morsel->columns[1], row)) {
          const auto vector = columnar::embedding_at(*morsel->columns[1], row, kVectors, scratch);
          output.vector.assign(vector.begin(), vector.end());
        }
        if (columnar::is_valid(*morsel->columns[2], row))
          output.error = columnar::string_at(*morsel->columns[2], row);
        rows.push_back(std::move(output));
      }
    }
    return rows;
  }
};

TEST_F(ParallelMapTest, GivesEachRowItsVectorInOrder) {
  const std::vector<std::string> urls = write_pictures(directory, 200);
  for (const int threads : {1, 4}) {
    context.threads = threads;
    const auto rows = run(urls, embedding("raise", vecframe::OnError::kRaise));
    ASSERT_EQ(rows.size(), urls.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
      ASSERT_EQ(rows[i].vector, expected_vector(static_cast<std::int64_t>(i))) << i;
  }
}

TEST_F(ParallelMapTest, ABadRowCostsOneRow) {
  std::vector<std::string> urls = write_pictures(directory, 20);
  urls[3] = directory.file("nowhere.bmp");
  urls[8] = directory.file("text.bmp");
  write_bytes(urls[8], "not a picture at all");
  urls[12] = "";
  // The caller of the model decides about rows that read_images would give.
  const auto rows = run(urls, embedding("defer", vecframe::OnError::kLog));
  EXPECT_THAT(rows[3].error, HasSubstr("read/not_found"));
  EXPECT_THAT(rows[8].error, HasSubstr("decode/unknown_format"));
  EXPECT_EQ(rows[12].error, "");
  for (std::size_t i = 0; i < rows.size(); ++i)
    EXPECT_EQ(rows[i].vector.empty(), i == 3 || i == 8 || i == 12) << i;
  EXPECT_EQ(statistics.failed, 2);
  ASSERT_EQ(logged.size(), 2u);
  EXPECT_THAT(logged[0], HasSubstr("nowhere.bmp: read/not_found"));
}

TEST_F(ParallelMapTest, NullOnErrorIsNoFailure) {
  std::vector<std::string> urls = write_pictures(directory, 5);
  urls[2] = directory.file("nowhere.bmp");
  const auto rows = run(urls, embedding("null", vecframe::OnError::kRaise));
  EXPECT_TRUE(rows[2].vector.empty());
  EXPECT_THAT(rows[2].error, HasSubstr("read/not_found"));  // told all the same
  EXPECT_EQ(statistics.failed, 0);
}

TEST_F(ParallelMapTest, RaiseEndsTheRunAtTheFirstRow) {
  std::vector<std::string> urls = write_pictures(directory, 100);
  urls[40] = directory.file("first.bmp");
  urls[41] = directory.file("second.bmp");
  for (const char* on_error : {"raise", "defer"}) {
    try {
      run(urls, embedding(on_error, vecframe::OnError::kRaise));
      FAIL();
    } catch (const RunError& error) {
      EXPECT_THAT(error.what(), HasSubstr("first.bmp: read/not_found"));
    }
  }
}

TEST_F(ParallelMapTest, AnEmbedderThatRefusesARowFailsThatRow) {
  const std::vector<std::string> urls = write_pictures(directory, 30);
  hook = [](const std::uint8_t*, std::int64_t count, float* out) {
    for (std::int64_t i = 0; i < count; ++i)
      if (out[i * kColourDimension] == expected_vector(11)[0])
        throw std::runtime_error("not this one");
  };
  const auto rows = run(urls, embedding("raise", vecframe::OnError::kIgnore, 8));
  EXPECT_THAT(rows[11].error, HasSubstr("embed/embedder_failed: not this one"));
  EXPECT_EQ(rows[10].vector, expected_vector(10));
  EXPECT_EQ(rows[12].vector, expected_vector(12));
}

// Pictures of which few fit at a time, on more threads than that: nobody waits for ever, and what
// is too large is a row.
TEST_F(ParallelMapTest, LargePicturesShareTheBudget) {
  std::vector<std::string> urls;
  for (std::int64_t row = 0; row < 24; ++row)
    urls.push_back(write_picture(directory.file(std::to_string(row) + ".bmp"), row, 500, 400));
  urls.push_back(write_picture(directory.file("huge.bmp"), 99, 3000, 2000));
  context.threads = 6;
  context.memory_limit = 9 << 20;
  const auto rows = run(urls, embedding("defer", vecframe::OnError::kIgnore, 4));
  for (std::int64_t row = 0; row < 24; ++row)
    EXPECT_EQ(rows[static_cast<std::size_t>(row)].vector, expected_vector(row)) << row;
  EXPECT_THAT(rows[24].error, HasSubstr("over_budget"));
}

TEST_F(ParallelMapTest, TooLittleMemoryIsAWrongRequest) {
  context.memory_limit = 1 << 16;
  EXPECT_THROW(run({"x"}, embedding("null", vecframe::OnError::kIgnore)), RequestError);
}

TEST_F(ParallelMapTest, StopsWhenToldTo) {
  const std::vector<std::string> urls = write_pictures(directory, 200);
  std::atomic<int> embedded = 0;
  hook = [&](const std::uint8_t*, std::int64_t, float*) {
    if (++embedded == 2) cancellation.cancel();
  };
  EXPECT_THROW(run(urls, embedding("raise", vecframe::OnError::kRaise, 4)), Cancelled);
}

TEST_F(ParallelMapTest, NoRowsAreNoRows) {
  EXPECT_TRUE(run({}, embedding("raise", vecframe::OnError::kRaise)).empty());
}

}  // namespace
}  // namespace vecframe::exec
