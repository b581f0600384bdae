// The parts around a run of the pipeline in tests: a listing, a sink that keeps everything.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "colour_embedder.h"
#include "exec/pipeline.h"
#include "picture_files.h"

namespace vecframe::exec {

class VectorListing final : public storage::Listing {
 public:
  explicit VectorListing(std::vector<std::string> paths) : paths_(std::move(paths)) {}
  std::optional<std::string> next() override {
    if (next_ == paths_.size()) return std::nullopt;
    return paths_[next_++];
  }

 private:
  const std::vector<std::string> paths_;
  std::size_t next_ = 0;
};

struct KeptRow {
  std::string path;
  std::string error;  ///< stage/code, empty if none
  std::string message;
  std::uint32_t width = 0, height = 0;
  std::optional<image::Format> format;
  std::vector<float> embedding;
};

class KeepingSink final : public RowSink {
 public:
  std::function<void(const Row&)> hook;
  std::int64_t bytes = 0;
  std::vector<KeptRow> rows;

  void write(const Row& row) override {
    if (hook) hook(row);
    KeptRow kept{row.path, "", "", row.width, row.height, row.format, {}};
    if (row.error) {
      kept.error =
          std::string(to_string(row.error->stage)) + "/" + std::string(to_string(row.error->code));
      kept.message = row.error->message;
    }
    kept.embedding.assign(row.embedding.begin(), row.embedding.end());
    rows.push_back(std::move(kept));
  }
  std::int64_t max_buffered_bytes() const override { return bytes; }
};

inline PipelineOptions test_options(int threads = 3, std::int64_t batch_size = 0) {
  PipelineOptions options;
  options.threads = threads;
  options.batch_size = batch_size;
  options.memory_limit = 32 << 20;
  options.on_error = OnError::kIgnore;
  return options;
}

/// The mean colours of a picture that write_picture() made for `row`.
inline std::vector<float> expected_vector(std::int64_t row) {
  std::vector<float> vector;
  for (int quarter = 0; quarter < 4; ++quarter) {
    for (const std::uint8_t value : colour_of(row)) vector.push_back(value);
  }
  return vector;
}

/// Pictures of varied small sizes, 00000.bmp and on; their row is their number.
inline std::vector<std::string> write_pictures(const TemporaryDirectory& directory,
                                               std::int64_t count) {
  std::vector<std::string> paths;
  for (std::int64_t row = 0; row < count; ++row) {
    const auto width = static_cast<std::uint32_t>(9 + row * 7 % 40);
    const auto height = static_cast<std::uint32_t>(8 + row * 5 % 30);
    paths.push_back(
        write_picture(directory.file(std::to_string(100000 + row) + ".bmp"), row, width, height));
  }
  return paths;
}

}  // namespace vecframe::exec
