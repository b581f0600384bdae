// A job over real picture files with the colour embedder, and what its output holds.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "colour_embedder.h"
#include "columnar/array_view.h"
#include "job/embed_job.h"
#include "picture_files.h"

namespace vecframe::job {

using exec::TemporaryDirectory;

class ColourDescriptor final : public embed::ImageEmbedderDescriptor {
 public:
  explicit ColourDescriptor(exec::ColourEmbedder::Hook hook = {}) : hook_(std::move(hook)) {
    facts_.provider = "test";
    facts_.model = "colours";
    facts_.family = "quarters";
    facts_.model_fingerprint = "0123456789abcdef";
    facts_.processor_fingerprint = "fedcba9876543210";
    facts_.dimension = exec::kColourDimension;
    facts_.weight_bytes = 42;
  }
  /// Pretends that its files have another content.
  void change_model() { facts_.model_fingerprint = "9999999999999999"; }
  const embed::EmbedderFacts& facts() const override { return facts_; }
  const image::PrepareSpec& prepare_spec() const override { return spec_; }
  std::shared_ptr<embed::ImageEmbedder> instantiate() const override {
    return std::make_shared<exec::ColourEmbedder>(hook_);
  }

 private:
  const exec::ColourEmbedder::Hook hook_;
  embed::EmbedderFacts facts_;
  const image::PrepareSpec spec_ = exec::colour_spec();
};

inline EmbedJob colour_job(std::vector<std::string> inputs, std::string output,
                           exec::ColourEmbedder::Hook hook = {}) {
  using Source = OutputColumn::Source;
  EmbedJob job;
  job.inputs = std::move(inputs);
  job.output = std::move(output);
  job.descriptor = std::make_shared<ColourDescriptor>(std::move(hook));
  job.columns = {{Source::kPath, "path"},   {Source::kEmbedding, "embedding"},
                 {Source::kError, "error"}, {Source::kWidth, "width"},
                 {Source::kHeight, ""},     {Source::kFormat, "format"}};
  job.pipeline.threads = 3;
  job.pipeline.memory_limit = 16 << 20;
  job.pipeline.on_error = exec::OnError::kIgnore;
  return job;
}

/// `count` pictures, of which those at `bad` are none. Their order is that of their names.
inline std::vector<std::string> write_inputs(const std::string& directory, std::int64_t count,
                                             const std::vector<std::int64_t>& bad = {}) {
  std::filesystem::create_directory(directory);
  std::vector<std::string> paths;
  for (std::int64_t row = 0; row < count; ++row) {
    paths.push_back(directory + "/" + std::to_string(100000 + row) + ".bmp");
    if (std::count(bad.begin(), bad.end(), row) > 0) {
      exec::write_bytes(paths.back(), "this is no picture");
    } else {
      exec::write_picture(paths.back(), row);
    }
  }
  return paths;
}

struct OutputRow {
  std::string path;
  std::optional<std::vector<float>> embedding;
  std::optional<std::string> error;
  std::optional<std::uint32_t> width;
  std::optional<std::string> format;
};

/// Rows of arrays of colour_job()'s columns.
inline void append_rows(const ArrowArray& batch, std::vector<OutputRow>& rows) {
  const auto child = [&](int i) -> const ArrowArray& { return *batch.children[i]; };
  const auto text = [&](int i, std::int64_t row) {
    return columnar::is_valid(child(i), row)
               ? std::optional<std::string>(columnar::string_at(child(i), row))
               : std::nullopt;
  };
  std::vector<float> scratch;
  for (std::int64_t row = 0; row < batch.length; ++row) {
    OutputRow result;
    result.path = text(0, row).value_or("");
    if (columnar::is_valid(child(1), row)) {
      const auto vector = columnar::embedding_at(
          child(1), row, {columnar::TypeKind::kEmbedding, exec::kColourDimension}, scratch);
      result.embedding.emplace(vector.begin(), vector.end());
    }
    result.error = text(2, row);
    if (columnar::is_valid(child(3), row)) result.width = columnar::uint32_at(child(3), row);
    result.format = text(4, row);
    rows.push_back(std::move(result));
  }
}

/// Row `i` is picture `first + i` of write_inputs(), or one of `bad`.
inline void expect_rows(const std::vector<OutputRow>& rows, const std::vector<std::string>& paths,
                        const std::vector<std::int64_t>& bad = {}, std::int64_t first = 0) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t row = first + static_cast<std::int64_t>(i);
    EXPECT_EQ(rows[i].path, paths.at(static_cast<std::size_t>(row)));
    if (std::count(bad.begin(), bad.end(), row) > 0) {
      EXPECT_FALSE(rows[i].embedding);
      EXPECT_FALSE(rows[i].width);
      EXPECT_FALSE(rows[i].format);
      ASSERT_TRUE(rows[i].error);
      EXPECT_TRUE(rows[i].error->starts_with("decode/unknown_format: ")) << *rows[i].error;
      continue;
    }
    ASSERT_TRUE(rows[i].embedding) << rows[i].error.value_or("");
    const exec::Colour colour = exec::colour_of(row);
    for (std::size_t value = 0; value < rows[i].embedding->size(); ++value) {
      EXPECT_EQ((*rows[i].embedding)[value], colour[value % 3]);
    }
    EXPECT_FALSE(rows[i].error);
    EXPECT_EQ(rows[i].width, 24u);
    EXPECT_EQ(rows[i].format, "bmp");
  }
}

inline std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace vecframe::job
