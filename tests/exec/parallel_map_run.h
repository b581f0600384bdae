// Runs a map over rows of paths in tests: download, decode, embed.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "columnar/array_view.h"
#include "columnar/batch.h"
#include "exec/parallel_map.h"
#include "exec/sources.h"
#include "pipeline_run.h"
#include "storage/local_file.h"
#include "text_source.h"

namespace vecframe::exec {

using columnar::Morsel;
using columnar::TypeKind;
using Node = std::shared_ptr<const plan::ExpressionNode>;

inline const columnar::DataType kColours{TypeKind::kEmbedding, kColourDimension};

inline Node call(const std::string& name, Node argument,
                 std::map<std::string, columnar::Literal> options) {
  return std::make_shared<plan::ExpressionNode>(
      plan::ExpressionNode{plan::FunctionCall{name, {std::move(argument)}, std::move(options)}});
}

inline Node picture_of_url(const std::string& on_error, bool fast_decode = false,
                           bool apply_orientation = false) {
  const auto url =
      std::make_shared<plan::ExpressionNode>(plan::ExpressionNode{plan::ColumnReference{"url"}});
  return call(
      "decode_image",
      call("download", url, {{"max_connections", std::int64_t{64}}, {"on_error", on_error}}),
      {{"on_error", on_error},
       {"mode", std::string("RGB")},
       {"apply_orientation", apply_orientation},
       {"fast_decode", fast_decode}});
}

inline plan::MapStep embedding(const std::string& on_error, vecframe::OnError embed_on_error,
                               std::optional<std::int64_t> batch_size = {}) {
  plan::EmbedCall embed;
  embed.argument = picture_of_url(on_error);
  embed.dimension = kColourDimension;
  embed.on_error = embed_on_error;
  embed.error_column = "error";
  embed.batch_size = batch_size;
  return {{{"e", std::make_shared<plan::ExpressionNode>(plan::ExpressionNode{embed}), kColours}}};
}

inline Result<std::vector<std::byte>> fetch_file(const std::string& path, const Reserve& reserve) {
  const Result<std::int64_t> size = storage::file_size(path);
  if (!size) return size.error();
  if (!reserve(*size)) return RowError{Stage::kRead, ErrorCode::kIoError, "stopped"};
  return storage::read_file(path, *size);
}

inline columnar::Schema url_schema() { return {{{"url", {TypeKind::kString}}}, {}}; }

struct ParallelMapTest : testing::Test {
  TemporaryDirectory directory;
  CancellationToken cancellation;
  Statistics statistics;
  std::vector<std::string> logged;
  ColourEmbedder::Hook hook;
  StepContext context_of(const CancellationToken& token) {
    return {.threads = 3,
            .memory_limit = 32 << 20,
            .cancellation = token,
            .fetch = fetch,
            .image_stage = [this](const plan::EmbedCall&) { return colour_stage(hook); },
            .on_failure =
                [this](const std::string& row, const RowError& error) {
                  logged.push_back(row + ": " + error.to_string());
                },
            .statistics = &statistics};
  }
  Fetch fetch = fetch_file;
  StepContext context = context_of(cancellation);

  struct OutputRow {
    std::string url;
    std::vector<float> vector;
    std::string error;
  };

  /// All rows of the map, in the order in which they come. `look` is called with those so far.
  std::vector<OutputRow> run_from(
      std::unique_ptr<Operator> source, const plan::MapStep& step,
      const std::function<void(const std::vector<OutputRow>&)>& look = {}) {
    return run_in(context, std::move(source), step, look);
  }
  std::vector<OutputRow> run_in(
      const StepContext& in, std::unique_ptr<Operator> source, const plan::MapStep& step,
      const std::function<void(const std::vector<OutputRow>&)>& look = {}) {
    const auto map = make_parallel_map(std::move(source), url_schema(), step, in, ordered);
    std::vector<OutputRow> rows;
    while (const std::optional<Morsel> morsel = map->next()) {
      for (std::int64_t row = 0; row < morsel->num_rows; ++row) {
        OutputRow output;
        // The input's own columns stay beside those that are made.
        if (columnar::is_valid(*morsel->columns[0], row))
          output.url = columnar::string_at(*morsel->columns[0], row);
        std::vector<float> scratch;
        if (columnar::is_valid(*morsel->columns[1], row)) {
          const auto vector = columnar::embedding_at(*morsel->columns[1], row, kColours, scratch);
          output.vector.assign(vector.begin(), vector.end());
        }
        if (columnar::is_valid(*morsel->columns[2], row))
          output.error = columnar::string_at(*morsel->columns[2], row);
        rows.push_back(std::move(output));
      }
      if (look) look(rows);
    }
    return rows;
  }

  /// The rows in the order of the input, which they have to come in if they are to.
  std::vector<OutputRow> run(const std::vector<std::string>& urls, const plan::MapStep& step) {
    std::vector<OutputRow> rows = run_from(source_of(urls), step);
    if (ordered) {
      EXPECT_EQ(rows.size(), urls.size());
      for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].url, urls[i]);
    }
    return rows;
  }

  bool ordered = true;
};

}  // namespace vecframe::exec
