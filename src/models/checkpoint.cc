#include "models/checkpoint.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "base/fingerprint.h"
#include "models/model_file.h"

namespace vecframe::models {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeights = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kConfig = "config.json";
constexpr const char* kOpenClipConfig = "open_clip_config.json";
constexpr const char* kOpenClipWeights = "open_clip_model.safetensors";
constexpr std::uint64_t kMaxIndexBytes = 100'000'000;
constexpr std::uint64_t kHashedWhole = 64u << 20;
constexpr std::size_t kSample = 512;  // bytes at either end of a tensor

// Many directories hold a model twice, for transformers and for open_clip, and some have the
// weights of one only.
std::string choose_config(const std::string& model, const fs::path& directory) {
  const auto has = [&](const char* name) {
    return find_model_file(model, directory, name).has_value();
  };
  const bool here = has(kConfig), open_clip = has(kOpenClipConfig);
  if (!here && !open_clip)
    throw RequestError(fmt::format(
        "model: '{}' has no config.json in {}; give a directory as save_pretrained() writes it",
        model, directory.string()));
  const bool weights = has(kWeights) || has(kIndex);
  const bool as_open_clip = open_clip && (!here || (!weights && has(kOpenClipWeights)));
  return as_open_clip ? kOpenClipConfig : kConfig;
}

// A shard is a plain name in the same directory; a path would let an index read anything.
void check_shard_name(const fs::path& index, const std::string& name) {
  if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos)
    throw RequestError(
        fmt::format("{}: shard '{}' is not a plain file name", index.string(), name));
}

std::vector<std::string> open_clip_weight_files(const std::string& model,
                                                const fs::path& directory) {
  if (find_model_file(model, directory, kOpenClipWeights)) return {kOpenClipWeights};
  for (const char* pickle : {"open_clip_pytorch_model.bin", "pytorch_model.bin"}) {
    if (find_model_file(model, directory, pickle))
      throw RequestError(fmt::format(
          "model: '{}' has only {}, a pickle, which is code and is not read; save its state_dict() "
          "as {} with safetensors.torch.save_file(), or take a revision that has it",
          model, pickle, kOpenClipWeights));
  }
  throw RequestError(fmt::format("model: '{}' has {}, but no {} in {}", model, kOpenClipConfig,
                                 kOpenClipWeights, directory.string()));
}

std::vector<std::string> weight_files(const std::string& model, const fs::path& directory) {
  if (find_model_file(model, directory, kWeights)) return {kWeights};
  if (const auto index = find_model_file(model, directory, kIndex)) {
    const auto weight_map = JsonObject::read(*index, kMaxIndexBytes).object("weight_map");
    if (!weight_map)
      throw RequestError(fmt::format("{}: 'weight_map' is missing", index->string()));
    std::set<std::string> names;
    for (const auto& [tensor, file] : weight_map->text_members()) {
      check_shard_name(*index, file);
      names.insert(file);
    }
    if (names.empty()) throw RequestError(fmt::format("{}: names no shard", index->string()));
    return {names.begin(), names.end()};
  }
  for (const char* pickle : {"pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    if (find_model_file(model, directory, pickle))
      throw RequestError(fmt::format(
          "model: '{}' has only {}, a pickle, which is code and is not read; save it again with "
          "model.save_pretrained(dir, safe_serialization=True), or take a revision with {}",
          model, pickle, kWeights));
  }
  throw RequestError(
      fmt::format("model: '{}' has no {} in {}", model, kWeights, directory.string()));
}

}  // namespace

TensorValues::TensorValues(const SafetensorsFile* file, const TensorInfo& tensor)
    : file_(file), stored_(tensor.data) {
  const auto address = reinterpret_cast<std::uintptr_t>(stored_.data());
  if (tensor.dtype == "F32" && address % alignof(float) == 0) {
    values_ = {reinterpret_cast<const float*>(stored_.data()), stored_.size() / sizeof(float)};
    return;
  }
  copy_ = tensor::AlignedBuffer<float>(static_cast<std::size_t>(tensor.count()));
  widen(tensor, {copy_.data(), copy_.size()});
  values_ = {copy_.data(), copy_.size()};
}

TensorValues::~TensorValues() {
  if (file_ != nullptr) file_->release_pages(stored_);
}

Checkpoint::Checkpoint(std::string model, fs::path directory)
    : model_(std::move(model)),
      directory_(std::move(directory)),
      config_name_(choose_config(model_, directory_)),
      config_(JsonObject::read(
          find_model_file(model_, directory_, config_name_).value_or(directory_ / config_name_))),
      file_names_(config_name_ == kOpenClipConfig ? open_clip_weight_files(model_, directory_)
                                                  : weight_files(model_, directory_)) {
  files_.reserve(file_names_.size());
  for (const std::string& name : file_names_)
    files_.emplace_back(find_model_file(model_, directory_, name).value_or(directory_ / name));
  for (const SafetensorsFile& file : files_) {
    for (const TensorInfo& tensor : file.tensors()) {
      if (!tensors_.emplace(tensor.name, Location{&file, &tensor}).second)
        throw RequestError(
            fmt::format("model: '{}': tensor '{}' is in two shards", model_, tensor.name));
    }
  }
}

const TensorInfo* Checkpoint::find(std::string_view name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : it->second.tensor;
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> names;
  names.reserve(tensors_.size());
  for (const auto& [name, location] : tensors_) names.push_back(name);
  return names;
}

bool Checkpoint::has_prefix(std::string_view prefix) const {
  const auto it = tensors_.lower_bound(prefix);
  return it != tensors_.end() && it->first.starts_with(prefix);
}

tensor::AlignedBuffer<float> Checkpoint::read(const TensorInfo& tensor) const {
  tensor::AlignedBuffer<float> values(static_cast<std::size_t>(tensor.count()));
  widen(tensor, {values.data(), values.size()});
  const auto it = tensors_.find(tensor.name);
  if (it != tensors_.end()) it->second.file->release_pages(tensor.data);
  return values;
}

TensorValues Checkpoint::view(const TensorInfo* tensor) const {
  if (tensor == nullptr) return {};
  const auto it = tensors_.find(tensor->name);
  return {it == tensors_.end() ? nullptr : it->second.file, *tensor};
}

void Checkpoint::read_row(const TensorInfo& tensor, std::int64_t row, std::span<float> out) const {
  if (tensor.shape.size() != 2 || row < 0 || row >= tensor.shape[0] ||
      static_cast<std::int64_t>(out.size()) != tensor.shape[1])
    throw std::out_of_range(
        fmt::format("row {} of tensor '{}' {}", row, tensor.name, shape_text(tensor.shape)));
  widen(tensor, row * tensor.shape[1], out);
}

std::string Checkpoint::fingerprint() const {
  Fingerprint fingerprint;
  const MappedFile config(directory_ / config_name_);
  fingerprint.add(config.bytes());
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const SafetensorsFile& file = files_[i];
    fingerprint.add_field(file_names_[i]).add_field(std::to_string(file.size()));
    if (file.size() <= kHashedWhole) {
      fingerprint.add(file.bytes());
    } else {
      fingerprint.add(file.header());
      for (const TensorInfo& tensor : file.tensors()) {
        const std::size_t sample = std::min(kSample, tensor.data.size());
        fingerprint.add(tensor.data.first(sample)).add(tensor.data.last(sample));
      }
    }
    file.release_pages(file.bytes());
  }
  return fingerprint.hex();
}

}  // namespace vecframe::models
