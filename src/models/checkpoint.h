// A model directory: its config and its tensors, by name. Weights stay on disk until they are read
// one by one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/json_object.h"
#include "models/safetensors.h"
#include "tensor/aligned_buffer.h"

namespace vecframe::models {

/// Values of a tensor as float32: where they lie in the mapped file if they are stored so, else a
/// copy. The pages of the file are released with it.
class TensorValues {
 public:
  TensorValues() = default;
  TensorValues(const SafetensorsFile* file, const TensorInfo& tensor);
  ~TensorValues();
  TensorValues(const TensorValues&) = delete;
  TensorValues& operator=(const TensorValues&) = delete;

  std::span<const float> span() const { return values_; }

 private:
  const SafetensorsFile* file_ = nullptr;  // null: nothing to release
  std::span<const std::byte> stored_;
  tensor::AlignedBuffer<float> copy_;
  std::span<const float> values_;
};

class Checkpoint {
 public:
  /// Opens config.json and model.safetensors, or the shards that model.safetensors.index.json
  /// names; where those are not, open_clip_config.json and open_clip_model.safetensors. `model` is
  /// the user's spelling, for messages. Throws RequestError.
  Checkpoint(std::string model, std::filesystem::path directory);

  const std::string& model() const { return model_; }
  const std::filesystem::path& directory() const { return directory_; }
  const JsonObject& config() const { return config_; }
  /// The file it is of.
  const std::string& config_name() const { return config_name_; }

  /// Null if there is none of this name.
  const TensorInfo* find(std::string_view name) const;
  /// All names, sorted.
  std::vector<std::string> names() const;
  /// True if some tensor's name begins so.
  bool has_prefix(std::string_view prefix) const;
  /// The tensor as float32; its source pages are released.
  tensor::AlignedBuffer<float> read(const TensorInfo& tensor) const;
  /// The tensor as float32 without a copy, where that can be. Null gives no values.
  TensorValues view(const TensorInfo* tensor) const;
  /// One row of a matrix of this checkpoint as float32, read where it lies: for tables of which few
  /// rows are needed. Throws std::out_of_range if there is no such row or `out` is not as long as
  /// one. Thread-safe.
  void read_row(const TensorInfo& tensor, std::int64_t row, std::span<float> out) const;

  /// Identity of config and weights. Files of up to 64 MiB are hashed whole. Of larger ones, name
  /// and size of each file, its header, and the first and last 512 bytes of every tensor: no
  /// training step leaves those alone, and a plan may be described without reading gigabytes.
  std::string fingerprint() const;

 private:
  struct Location {
    const SafetensorsFile* file;
    const TensorInfo* tensor;
  };

  std::string model_;
  std::filesystem::path directory_;
  std::string config_name_;
  JsonObject config_;
  std::vector<std::string> file_names_;
  std::vector<SafetensorsFile> files_;  // as file_names_
  std::map<std::string, Location, std::less<>> tensors_;
};

}  // namespace vecframe::models
